import { expect } from "chai";
import { parseListeners } from "../../../../../server/engines/runit/listening.js";

/** As proc(5) shows /proc/net/tcp and tcp6, cut after the inode. */
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
   1: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 22 1
   2: 0100007F:4E20 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 33 1
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 44 1
   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 55 1
`;

describe("the kernel's table of sockets", () => {
  it("tells who listens where, and not who is connected", () => {
    expect(parseListeners(TCP)).to.deep.equal([
      { address: "127.0.0.1:20000", inode: "11" },
      { address: "0.0.0.0:3000", inode: "22" },
    ]);
  });

  it("tells a socket on all addresses from one on some address of IPv6", () => {
    expect(parseListeners(TCP6)).to.deep.equal([
      { address: "[::]:8080", inode: "44" },
      { address: "[IPv6]:8081", inode: "55" },
    ]);
    expect(parseListeners("")).to.deep.equal([]);
  });
});
