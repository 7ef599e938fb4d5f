import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import irhub.adapter.v1.File;
import irhub.blob.v1.Blob;
import irhub.blob.v1.BlobServiceGrpc;
import irhub.blob.v1.FindMissingBlobsRequest;
import irhub.blob.v1.ReadBlobRequest;
import irhub.blob.v1.ReadBlobResponse;
import irhub.blob.v1.WriteBlobRequest;
import irhub.blob.v1.WriteBlobResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** The blobs of a hub or of an adapter. */
final class Blobs {
  private static final int CHUNK_BYTES = 1 << 20;

  private final BlobServiceGrpc.BlobServiceBlockingStub calls;
  private final BlobServiceGrpc.BlobServiceStub streams;

  Blobs(Channel channel) {
    calls = BlobServiceGrpc.newBlockingStub(channel);
    streams = BlobServiceGrpc.newStub(channel);
  }

  /** Sends a file, unless the service has its content already. */
  File upload(Path path) throws IOException {
    MessageDigest sha256 = sha256();
    long size;
    try (InputStream file = new DigestInputStream(Files.newInputStream(path), sha256)) {
      size = file.transferTo(OutputStream.nullOutputStream());
    }
    Blob blob = blobOf(sha256, size);
    try (InputStream file = Files.newInputStream(path)) {
      write(blob, file);
    }
    return File.newBuilder().setName(path.getFileName().toString()).setBlob(blob).build();
  }

  /** Sends bytes, unless the service has them already. */
  Blob put(byte[] content) throws IOException {
    MessageDigest sha256 = sha256();
    sha256.update(content);
    Blob blob = blobOf(sha256, content.length);
    write(blob, new ByteArrayInputStream(content));
    return blob;
  }

  /** Returns a blob's content, compared with its digest. */
  byte[] read(Blob blob) throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream((int) blob.getSizeBytes());
    MessageDigest sha256 = sha256();
    Iterator<ReadBlobResponse> responses =
        calls.readBlob(ReadBlobRequest.newBuilder().setBlob(blob).build());
    while (responses.hasNext()) {
      byte[] data = responses.next().getData().toByteArray();
      sha256.update(data);
      content.write(data);
    }
    if (!blobOf(sha256, content.size()).equals(blob)) {
      throw new IOException("what came isn't the blob " + blob.getDigest());
    }
    return content.toByteArray();
  }

  /** Writes files into a folder. */
  void download(List<File> files, Path folder) throws IOException {
    for (File file : files) {
      Path path = folder.resolve(file.getName());
      Files.createDirectories(path.getParent());
      Files.write(path, read(file.getBlob()));
      System.out.printf("wrote %s, %d bytes%n", file.getName(), file.getBlob().getSizeBytes());
    }
  }

  private void write(Blob blob, InputStream content) throws IOException {
    FindMissingBlobsRequest question = FindMissingBlobsRequest.newBuilder().addBlobs(blob).build();
    if (calls.findMissingBlobs(question).getMissingBlobsCount() == 0) {
      return;
    }
    CompletableFuture<WriteBlobResponse> answer = new CompletableFuture<>();
    StreamObserver<WriteBlobRequest> stream = streams.writeBlob(completing(answer));
    WriteBlobRequest.Builder request =
        WriteBlobRequest.newBuilder().setBlob(blob).setUploadId(UUID.randomUUID().toString());
    byte[] chunk;
    do {
      chunk = content.readNBytes(CHUNK_BYTES);
      stream.onNext(request.setData(ByteString.copyFrom(chunk)).build());
      request = WriteBlobRequest.newBuilder();
    } while (chunk.length == CHUNK_BYTES && !answer.isDone());
    stream.onCompleted();
    WriteBlobResponse written = answer.join();
    if (!written.getComplete()) {
      throw new IOException(blob.getDigest() + " broke off");
    }
  }

  private static StreamObserver<WriteBlobResponse> completing(
      CompletableFuture<WriteBlobResponse> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(WriteBlobResponse response) {
        answer.complete(response);
      }

      @Override
      public void onError(Throwable error) {
        answer.completeExceptionally(error);
      }

      @Override
      public void onCompleted() {}
    };
  }

  private static Blob blobOf(MessageDigest sha256, long size) {
    String digest = HexFormat.of().formatHex(sha256.digest());
    return Blob.newBuilder().setDigest(digest).setSizeBytes(size).build();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException error) {
      throw new AssertionError("every Java has SHA-256", error);
    }
  }
}
