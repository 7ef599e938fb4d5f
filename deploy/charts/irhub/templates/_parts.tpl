{{/* What the pods of all parts have alike. Each takes a dict: root, name (the component), part. */}}

{{- define "irhub.labels" -}}
{{ include "irhub.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "irhub.selector" -}}
app.kubernetes.io/name: irhub
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "irhub.image" -}}
{{- $image := .root.Values.image -}}
{{ .part.image | default (printf "%s-%s:%s" $image.prefix .name ($image.tag | default .root.Chart.AppVersion)) }}
{{- end }}

{{/* The adapters as a JSON object, each with the defaults for what it leaves out. */}}
{{- define "irhub.adapters" -}}
{{- $found := dict -}}
{{- range $name, $own := .Values.adapters -}}
{{- if not (kindIs "invalid" $own) -}}
{{- $_ := set $found $name (mergeOverwrite (deepCopy $.Values.adapterDefaults) $own) -}}
{{- end -}}
{{- end -}}
{{ $found | toJson }}
{{- end }}

{{- define "irhub.claim" -}}
{{ .Values.store.claim | default (printf "%s-store" .Release.Name) }}
{{- end }}

{{- define "irhub.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "irhub.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The first lines of every pod's spec. */}}
{{- define "irhub.pod" -}}
automountServiceAccountToken: false
# The variables that it would add begin with IRHUB_, as our settings do.
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "irhub.podSecurity" . | nindent 2 }}
{{- with .part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What a worker may have, in bytes: its share of what the container may. The kernel would kill
all of the container; the service kills the worker, and says so. */}}
{{- define "irhub.workerBytes" -}}
{{- if le (int .part.memoryMiB) (int .part.frontMiB) -}}
{{- fail (printf "%s: frontMiB of memoryMiB leaves its workers nothing" .name) -}}
{{- end -}}
{{ mul (div (sub .part.memoryMiB .part.frontMiB) .part.workers) 1048576 | int64 }}
{{- end }}

{{/* What blobs may take of a volume, in bytes: the last quarter is for what is being written. */}}
{{- define "irhub.storeBytes" -}}
{{ div (mul . 1073741824 3) 4 | int64 }}
{{- end }}

{{- define "irhub.resources" -}}
requests: {cpu: {{ .part.cpu.request | quote }}, memory: {{ int64 .part.memoryMiB }}Mi}
limits: {cpu: {{ .part.cpu.limit | quote }}, memory: {{ int64 .part.memoryMiB }}Mi}
{{- end }}

{{/* The kubelet's gRPC probe can't speak TLS: there, the same check runs inside. */}}
{{- define "irhub.check" -}}
{{- if .Values.tls.enabled -}}
exec: {command: [python, -m, ir_hub.health, "127.0.0.1:50051"]}
{{- else -}}
grpc: {port: 50051}
{{- end }}
{{- end }}

{{- define "irhub.probes" -}}
startupProbe:
  {{- include "irhub.check" .root | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 10
  failureThreshold: 60
readinessProbe:
  {{- include "irhub.check" .root | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 10
livenessProbe:
  {{- include "irhub.check" .root | nindent 2 }}
  periodSeconds: 20
  timeoutSeconds: 15
  failureThreshold: 6
{{- end }}

{{/* The settings of a part and, where there is TLS, of its probe, then its own variables: the dict
has prefix and settings too. */}}
{{- define "irhub.env" -}}
{{- if .root.Values.metrics.enabled }}
{{- $_ := set .settings "metrics_address" "0.0.0.0:9464" }}
{{- end }}
{{- with .root.Values.traces.endpoint }}
{{- $_ := set $.settings "otlp_endpoint" . }}
{{- end }}
{{- range $name, $value := mergeOverwrite .settings .part.settings }}
- {name: {{ $.prefix }}{{ upper $name }}, value: {{ include "irhub.text" $value | quote }}}
{{- end }}
{{- if .root.Values.tls.enabled }}
- {name: IRHUB_HEALTH_CA, value: /etc/irhub/tls/ca.crt}
- {name: IRHUB_HEALTH_NAME, value: {{ .root.Release.Name }}-{{ .name }}}
{{- if .root.Values.tls.mutual }}
- {name: IRHUB_HEALTH_CERT, value: /etc/irhub/tls/tls.crt}
- {name: IRHUB_HEALTH_KEY, value: /etc/irhub/tls/tls.key}
{{- end }}
{{- end }}
{{- range $name, $value := .part.env }}
- {name: {{ $name }}, value: {{ include "irhub.text" $value | quote }}}
{{- end }}
{{- end }}

{{/* A value as text; whole numbers without an exponent, which every large one has here. */}}
{{- define "irhub.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ toString . }}
{{- end }}
{{- end }}

{{/* The certificate and, for the hub and its callers, the tokens. */}}
{{- define "irhub.secretMounts" -}}
{{- if .Values.tls.enabled }}
- {name: tls, mountPath: /etc/irhub/tls, readOnly: true}
{{- end }}
{{- if .Values.tokens.secret }}
- {name: tokens, mountPath: /etc/irhub/tokens, readOnly: true}
{{- end }}
{{- end }}

{{- define "irhub.secretVolumes" -}}
{{- if .Values.tls.enabled }}
- name: tls
  secret: {secretName: {{ .Values.tls.secret }}, defaultMode: 0440}
{{- end }}
{{- if .Values.tokens.secret }}
- name: tokens
  secret: {secretName: {{ .Values.tokens.secret }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "irhub.ports" -}}
- {name: grpc, containerPort: 50051}
{{- if .Values.metrics.enabled }}
- {name: metrics, containerPort: 9464}
{{- end }}
{{- end }}
