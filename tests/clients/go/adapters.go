package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	adapterv1 "irhub/adapter/v1"
	blobv1 "irhub/blob/v1"
	irv1 "irhub/ir/v1"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

const tolerance = 5e-5 // of the greatest output: what float32 models may differ by

// adapter is one framework's service, with its blobs.
type adapter struct {
	client adapterv1.AdapterServiceClient
	blobs  store
}

func adapterAt(connection *grpc.ClientConn) adapter {
	return adapter{adapterv1.NewAdapterServiceClient(connection), storeAt(connection)}
}

// straight parses a model with one adapter, emits it with another, runs both, and compares.
func straight(ctx context.Context, sourceAddress, targetAddress, path string) error {
	var adapters [2]adapter
	for i, address := range []string{sourceAddress, targetAddress} {
		connection, err := connect(address)
		if err != nil {
			return err
		}
		defer connection.Close()
		adapters[i] = adapterAt(connection)
	}
	source, target := adapters[0], adapters[1]

	file, err := source.blobs.upload(ctx, path)
	if err != nil {
		return err
	}
	blob, model, err := source.parse(ctx, file)
	if err != nil {
		return err
	}
	for _, node := range model.Graph.Nodes {
		fmt.Printf("%-20s %s\n", node.Op, node.Name)
	}
	for _, needed := range append(weightBlobs(model), blob) {
		if err := copyBlob(ctx, source.blobs, target.blobs, needed); err != nil {
			return err
		}
	}
	emitted, err := target.emit(ctx, blob)
	if err != nil {
		return err
	}
	for _, written := range emitted.Files {
		fmt.Printf("emitted %s, %d bytes\n", written.Name, written.Blob.SizeBytes)
	}
	input, err := drawInput(model.Graph.Inputs[0])
	if err != nil {
		return err
	}
	expected, err := source.run(ctx, []*adapterv1.File{file}, input)
	if err != nil {
		return err
	}
	found, err := target.run(ctx, emitted.Files, input)
	if err != nil {
		return err
	}
	return compare(expected, found)
}

// A stream has any number of progress events, and one result.

func (a adapter) parse(ctx context.Context, file *adapterv1.File) (*blobv1.Blob, *irv1.Model, error) {
	stream, err := a.client.Parse(ctx, &adapterv1.ParseRequest{Files: []*adapterv1.File{file}})
	if err != nil {
		return nil, nil, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, nil, err
		}
		if result := response.GetResult(); result != nil {
			content, err := a.blobs.read(ctx, result.Model)
			if err != nil {
				return nil, nil, err
			}
			model := &irv1.Model{}
			return result.Model, model, proto.Unmarshal(content, model)
		}
	}
}

func (a adapter) emit(ctx context.Context, model *blobv1.Blob) (*adapterv1.EmitResult, error) {
	stream, err := a.client.Emit(ctx, &adapterv1.EmitRequest{Model: model})
	if err != nil {
		return nil, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if result := response.GetResult(); result != nil {
			return result, nil
		}
	}
}

// run returns the first output of a model for one input.
func (a adapter) run(ctx context.Context, files []*adapterv1.File, input array) ([]float32, error) {
	blob, err := a.blobs.put(ctx, bytesOf(input.elements))
	if err != nil {
		return nil, err
	}
	value := proto.Clone(input.value).(*irv1.Value)
	value.Data = &irv1.Tensor{Blob: blob}
	request := &adapterv1.RunRequest{Files: files, Inputs: []*irv1.Value{value}}
	stream, err := a.client.Run(ctx, request)
	if err != nil {
		return nil, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if result := response.GetResult(); result != nil {
			output := result.Outputs[0]
			content, err := a.blobs.read(ctx, output.Data.Blob)
			if err != nil {
				return nil, err
			}
			return floatsOf(content[output.Data.Offset:]), nil
		}
	}
}

// weightBlobs are the blobs that a model's weights lie in, each once.
func weightBlobs(model *irv1.Model) []*blobv1.Blob {
	seen, found := map[string]bool{}, []*blobv1.Blob{}
	for _, weight := range model.Graph.Weights {
		if blob := weight.Data.GetBlob(); blob != nil && !seen[blob.Digest] {
			seen[blob.Digest] = true
			found = append(found, blob)
		}
	}
	return found
}

func copyBlob(ctx context.Context, from, to store, blob *blobv1.Blob) error {
	content, err := from.read(ctx, blob)
	if err != nil {
		return err
	}
	_, err = to.put(ctx, content)
	return err
}

// array is an input with its elements.
type array struct {
	value    *irv1.Value
	elements []float32
}

// drawInput makes up elements for a float32 input; sizes that are open become 2.
func drawInput(declared *irv1.Value) (array, error) {
	if declared.Type.DataType != irv1.DataType_DATA_TYPE_FLOAT32 {
		return array{}, fmt.Errorf("this client draws float32 inputs only, not %s", declared.Type.DataType)
	}
	count, shape := 1, []*irv1.Dimension{}
	for _, dimension := range declared.Type.Shape {
		size := 2
		if known, ok := dimension.Kind.(*irv1.Dimension_Size); ok {
			size = int(known.Size)
		}
		count *= size
		shape = append(shape, &irv1.Dimension{Kind: &irv1.Dimension_Size{Size: int64(size)}})
	}
	elements := make([]float32, count)
	for i := range elements {
		elements[i] = float32(math.Sin(float64(i)))
	}
	kind := &irv1.TensorType{DataType: declared.Type.DataType, Shape: shape}
	return array{&irv1.Value{Name: declared.Name, Type: kind}, elements}, nil
}

func bytesOf(elements []float32) []byte {
	content := make([]byte, 4*len(elements))
	for i, element := range elements {
		binary.LittleEndian.PutUint32(content[4*i:], math.Float32bits(element))
	}
	return content
}

func floatsOf(content []byte) []float32 {
	elements := make([]float32, len(content)/4)
	for i := range elements {
		elements[i] = math.Float32frombits(binary.LittleEndian.Uint32(content[4*i:]))
	}
	return elements
}

func compare(expected, found []float32) error {
	if len(expected) != len(found) {
		return fmt.Errorf("the source gives %d elements, the target %d", len(expected), len(found))
	}
	scale, difference := 0.0, 0.0
	for i := range expected {
		scale = math.Max(scale, math.Abs(float64(expected[i])))
		difference = math.Max(difference, math.Abs(float64(expected[i]-found[i])))
	}
	fmt.Printf("%d elements, max error %.1e\n", len(expected), difference/scale)
	// Written so that NaN, which compares with nothing, fails too.
	if !(difference <= tolerance*scale) {
		return fmt.Errorf("the target computes something else")
	}
	return nil
}
