import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Looks names up in turn and connects to each; as visit.c. */
class Visit {
    public static void main(String[] args) throws InterruptedException {
        boolean v6 = args[0].equals("6");
        int port = Integer.parseInt(args[1]), times = Integer.parseInt(args[2]), pause = Integer.parseInt(args[3]);
        for (int i = 0; i < times; i++) {
            String name = args[4 + i % (args.length - 4)];
            String said;
            try {
                said = visit(name, port, v6);
            } catch (IOException error) {
                said = error.toString();
            }
            System.out.println(name + " " + said);
            Thread.sleep(pause);
        }
    }

    static String visit(String name, int port, boolean v6) throws IOException {
        for (InetAddress address : InetAddress.getAllByName(name)) {
            if (address instanceof Inet6Address != v6) continue;
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(address, port));
                String[] lines = new String(socket.getInputStream().readAllBytes()).trim().split("\n");
                return lines[lines.length - 1];
            }
        }
        return "no address of that family";
    }
}
