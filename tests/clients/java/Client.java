import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/**
 * A complete client of irhub in Java, in two parts: through the hub, and straight to the adapters.
 */
public final class Client {
  private static final String USAGE =
      """
      usage:
        Client hub HUB MODEL TARGET FOLDER
            convert MODEL with the hub at HUB, and write what comes out into FOLDER
        Client adapters SOURCE_ADAPTER TARGET_ADAPTER MODEL
            do the same with two adapters and no hub, and compare the outputs
      Set IRHUB_CA to a file of certificates to connect with TLS, IRHUB_TOKEN to a hub's token.""";

  public static void main(String[] args) {
    try {
      run(args);
    } catch (IOException | StatusRuntimeException | CompletionException error) {
      System.err.println(error.getMessage());
      System.exit(1);
    }
  }

  private static void run(String[] args) throws IOException {
    if (args.length == 5 && args[0].equals("hub")) {
      ManagedChannel channel = connect(args[1]);
      try {
        ThroughHub.convert(channel, Path.of(args[2]), args[3], Path.of(args[4]));
      } finally {
        channel.shutdownNow();
      }
    } else if (args.length == 4 && args[0].equals("adapters")) {
      ManagedChannel source = connect(args[1]);
      ManagedChannel target = connect(args[2]);
      try {
        StraightToAdapters.convert(source, target, Path.of(args[3]));
      } finally {
        source.shutdownNow();
        target.shutdownNow();
      }
    } else {
      throw new IOException(USAGE);
    }
  }

  /** Opens a connection: with TLS where IRHUB_CA says whom to trust, else without. */
  private static ManagedChannel connect(String address) throws IOException {
    String authorities = System.getenv("IRHUB_CA");
    ChannelCredentials credentials = InsecureChannelCredentials.create();
    if (authorities != null) {
      credentials =
          TlsChannelCredentials.newBuilder().trustManager(new File(authorities)).build();
      String token = System.getenv("IRHUB_TOKEN");
      if (token != null) {
        credentials = CompositeChannelCredentials.create(credentials, new Bearer(token));
      }
    }
    return Grpc.newChannelBuilder(address, credentials).build();
  }

  /** Sends a token with every call. */
  private static final class Bearer extends CallCredentials {
    private static final Metadata.Key<String> AUTHORIZATION =
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private final Metadata headers = new Metadata();

    Bearer(String token) {
      headers.put(AUTHORIZATION, "Bearer " + token);
    }

    @Override
    public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
      applier.apply(headers);
    }

    @Override
    public void thisUsesUnstableApi() {}
  }

  private Client() {}
}
