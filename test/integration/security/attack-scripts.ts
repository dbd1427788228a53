/** Perl. Listens at an address that is not its own (ip(7), IP_FREEBIND), tries to give itself that address and to announce it. */
export const FREE_BIND = `
use Socket;
my $address = shift;
for my $argv (["ip", "addr", "add", "$address/32", "dev", "eth0"], ["unshare", "-Ur", "ip", "addr", "add", "$address/32", "dev", "eth0"]) {
  print "GOT the address\\n" if system("@$argv 2>/dev/null") == 0;
}
print "GOT a packet socket\\n" if socket(my $raw, 17, SOCK_RAW, 0x0608);
socket(my $server, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($server, 0, 15, 1) or die $!;
bind($server, sockaddr_in(5000, inet_aton($address))) or die $!;
listen($server, 5) or die $!;
$| = 1;
print "TAKEN\\n";
while (accept(my $client, $server)) { print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nSTOLEN"; close $client; }
`;

/** A server that says whether a connection came about, from an address of its choice: `GOT`, or why not. */
export const KNOCK = `
const net = require("node:net");
require("node:http").createServer((request, response) => {
  const { searchParams } = new URL(request.url, "http://x");
  const from = searchParams.get("from");
  if (!searchParams.has("host")) return response.end("here");
  const socket = net.connect({ host: searchParams.get("host"), port: Number(searchParams.get("port")), timeout: 400, ...(from === "" ? {} : { localAddress: from }) });
  socket.on("connect", () => { socket.destroy(); response.end("GOT"); });
  socket.on("timeout", () => { socket.destroy(); response.end("timeout"); });
  socket.on("error", (error) => response.end(error.code));
}).listen(process.env.PORT, "127.0.0.1");
`;

/** A shell script: processes that nothing inside ends, in as many ways. */
export const OUTLIVE = `
unshare -Urpf setsid sh -c 'trap "" HUP TERM INT; sleep 4071' </dev/null >/dev/null 2>&1 &
setsid -f sh -c 'sleep 4071 & kill -STOP $!' >/dev/null 2>&1
setsid -f perl -e 'fork and exit; $SIG{$_} = "IGNORE" for qw(HUP TERM INT PIPE); open STDOUT, ">", "/dev/null"; sleep 4071' >/dev/null 2>&1
if command -v git >/dev/null; then
  mkdir -p /tmp/repository && cd /tmp/repository && git init -q . 2>/dev/null
  printf '#!/bin/sh\\nsetsid -f sleep 4071 >/dev/null 2>&1\\n' >.git/hook && chmod +x .git/hook
  git config core.fsmonitor .git/hook && git status >/dev/null 2>&1
  cd /app
fi
sleep 0.2
`;
