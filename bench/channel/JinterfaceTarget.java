import com.ericsson.otp.erlang.*;

/** A node on OTP's JInterface: answers `rex` calls of driver:add/2, echoes, takes and gives binaries. */
public final class JinterfaceTarget {
  interface Handler {
    void message(OtpMbox mbox, OtpErlangObject message) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    OtpNode node = new OtpNode(args[0] + "@127.0.0.1", args[1]);
    start(node, "rex", JinterfaceTarget::rex);
    start(node, "echo", JinterfaceTarget::echo);
    start(node, "sink", JinterfaceTarget::echo);
    start(node, "source", JinterfaceTarget::source);
    System.out.println("ready " + ProcessHandle.current().pid() + " " + node.node());
    Thread.currentThread().join();
  }

  private static void start(OtpNode node, String name, Handler handler) {
    OtpMbox mbox = node.createMbox(name);
    Thread thread = new Thread(() -> {
      while (true) {
        try {
          handler.message(mbox, mbox.receive());
        } catch (OtpErlangExit | OtpErlangDecodeException end) {
          // A link that broke, or a term that is none: nobody waits for an answer.
        } catch (Exception wrong) {
          wrong.printStackTrace();
        }
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  private static void rex(OtpMbox mbox, OtpErlangObject message) throws Exception {
    OtpErlangTuple call = (OtpErlangTuple) message;
    OtpErlangTuple from = (OtpErlangTuple) call.elementAt(1);
    OtpErlangTuple what = (OtpErlangTuple) call.elementAt(2);
    OtpErlangObject given = what.elementAt(3);
    OtpErlangObject[] args = given instanceof OtpErlangString
        ? new OtpErlangList(((OtpErlangString) given).stringValue()).elements()
        : ((OtpErlangList) given).elements();
    long sum = ((OtpErlangLong) args[0]).longValue() + ((OtpErlangLong) args[1]).longValue();
    mbox.send((OtpErlangPid) from.elementAt(0),
        new OtpErlangTuple(new OtpErlangObject[] {from.elementAt(1), new OtpErlangLong(sum)}));
  }

  private static void echo(OtpMbox mbox, OtpErlangObject message) {
    if (!(message instanceof OtpErlangTuple)) return;
    OtpErlangTuple pair = (OtpErlangTuple) message;
    mbox.send((OtpErlangPid) pair.elementAt(0), pair.elementAt(1));
  }

  private static void source(OtpMbox mbox, OtpErlangObject message) throws Exception {
    OtpErlangTuple wanted = (OtpErlangTuple) message;
    byte[] bytes = new byte[((OtpErlangLong) wanted.elementAt(1)).intValue()];
    java.util.Arrays.fill(bytes, (byte) 7);
    OtpErlangBinary binary = new OtpErlangBinary(bytes);
    for (long count = ((OtpErlangLong) wanted.elementAt(2)).longValue(); count > 0; count--)
      mbox.send((OtpErlangPid) wanted.elementAt(0), binary);
  }
}
