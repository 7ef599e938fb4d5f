import io.grpc.Channel;
import irhub.adapter.v1.AdapterServiceGrpc;
import irhub.adapter.v1.EmitRequest;
import irhub.adapter.v1.EmitResponse;
import irhub.adapter.v1.EmitResult;
import irhub.adapter.v1.File;
import irhub.adapter.v1.ParseRequest;
import irhub.adapter.v1.ParseResponse;
import irhub.adapter.v1.RunRequest;
import irhub.adapter.v1.RunResponse;
import irhub.blob.v1.Blob;
import irhub.ir.v1.DataType;
import irhub.ir.v1.Dimension;
import irhub.ir.v1.Model;
import irhub.ir.v1.Node;
import irhub.ir.v1.Tensor;
import irhub.ir.v1.TensorType;
import irhub.ir.v1.Value;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A conversion by two adapters, without a hub. */
final class StraightToAdapters {
  private static final double TOLERANCE = 5e-5; // of the greatest output, for float32 models

  /** One framework's service, with its blobs. */
  private record Adapter(AdapterServiceGrpc.AdapterServiceBlockingStub calls, Blobs blobs) {
    static Adapter at(Channel channel) {
      return new Adapter(AdapterServiceGrpc.newBlockingStub(channel), new Blobs(channel));
    }
  }

  /** Parses a model with one adapter, emits it with another, runs both, and compares. */
  static void convert(Channel from, Channel to, Path path) throws IOException {
    Adapter source = Adapter.at(from);
    Adapter target = Adapter.at(to);

    File file = source.blobs.upload(path);
    Blob parsed = parse(source, file);
    Model model = Model.parseFrom(source.blobs.read(parsed));
    for (Node node : model.getGraph().getNodesList()) {
      System.out.printf("%-20s %s%n", node.getOp(), node.getName());
    }
    for (Blob needed : blobsOf(model, parsed)) {
      target.blobs.put(source.blobs.read(needed));
    }
    EmitResult emitted = emit(target, parsed);
    for (File written : emitted.getFilesList()) {
      long size = written.getBlob().getSizeBytes();
      System.out.printf("emitted %s, %d bytes%n", written.getName(), size);
    }
    Value input = withKnownSizes(model.getGraph().getInputs(0));
    FloatBuffer expected = run(source, List.of(file), input);
    FloatBuffer found = run(target, emitted.getFilesList(), input);
    compare(expected, found);
  }

  // A stream has any number of progress events, and one result.

  private static Blob parse(Adapter adapter, File file) throws IOException {
    Iterator<ParseResponse> responses =
        adapter.calls.parse(ParseRequest.newBuilder().addFiles(file).build());
    while (responses.hasNext()) {
      ParseResponse response = responses.next();
      if (response.hasResult()) {
        return response.getResult().getModel();
      }
    }
    throw new IOException("the stream ended without a result");
  }

  private static EmitResult emit(Adapter adapter, Blob model) throws IOException {
    Iterator<EmitResponse> responses =
        adapter.calls.emit(EmitRequest.newBuilder().setModel(model).build());
    while (responses.hasNext()) {
      EmitResponse response = responses.next();
      if (response.hasResult()) {
        return response.getResult();
      }
    }
    throw new IOException("the stream ended without a result");
  }

  /** Returns the first output of a model for one made-up input. */
  private static FloatBuffer run(Adapter adapter, List<File> files, Value input)
      throws IOException {
    Blob blob = adapter.blobs.put(elementsFor(input));
    Value given = input.toBuilder().setData(Tensor.newBuilder().setBlob(blob)).build();
    RunRequest request = RunRequest.newBuilder().addAllFiles(files).addInputs(given).build();
    Iterator<RunResponse> responses = adapter.calls.run(request);
    while (responses.hasNext()) {
      RunResponse response = responses.next();
      if (response.hasResult()) {
        Tensor output = response.getResult().getOutputs(0).getData();
        byte[] content = adapter.blobs.read(output.getBlob());
        int offset = (int) output.getOffset();
        return ByteBuffer.wrap(content, offset, content.length - offset)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer();
      }
    }
    throw new IOException("the stream ended without a result");
  }

  /** The graph and the blobs that its weights lie in, each once. */
  private static Set<Blob> blobsOf(Model model, Blob graph) {
    Set<Blob> found = new LinkedHashSet<>(List.of(graph));
    for (Value weight : model.getGraph().getWeightsList()) {
      found.add(weight.getData().getBlob());
    }
    return found;
  }

  /** The input with 2 wherever its size is open. */
  private static Value withKnownSizes(Value input) throws IOException {
    if (input.getType().getDataType() != DataType.DATA_TYPE_FLOAT32) {
      throw new IOException("this client makes up float32 inputs only");
    }
    TensorType.Builder type = TensorType.newBuilder().setDataType(DataType.DATA_TYPE_FLOAT32);
    for (Dimension size : input.getType().getShapeList()) {
      type.addShape(Dimension.newBuilder().setSize(size.hasSize() ? size.getSize() : 2));
    }
    return Value.newBuilder().setName(input.getName()).setType(type).build();
  }

  private static byte[] elementsFor(Value input) {
    int count = 1;
    for (Dimension size : input.getType().getShapeList()) {
      count *= (int) size.getSize();
    }
    ByteBuffer content = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      content.putFloat((float) Math.sin(i));
    }
    return content.array();
  }

  private static void compare(FloatBuffer expected, FloatBuffer found) throws IOException {
    if (expected.remaining() != found.remaining()) {
      throw new IOException("the outputs have different sizes");
    }
    double scale = 0;
    double difference = 0;
    for (int i = 0; i < expected.remaining(); i++) {
      scale = Math.max(scale, Math.abs(expected.get(i)));
      difference = Math.max(difference, Math.abs(expected.get(i) - found.get(i)));
    }
    System.out.printf("%d elements, max error %.1e%n", expected.remaining(), difference / scale);
    // Written so that NaN, which compares with nothing, fails too.
    if (!(difference <= TOLERANCE * scale)) {
      throw new IOException("the target computes something else");
    }
  }

  private StraightToAdapters() {}
}
