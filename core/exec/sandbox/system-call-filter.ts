/** One instruction of classic BPF, as seccomp(2) takes it (struct sock_filter). */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** Numbers of system calls differ between the binary interfaces of one machine. */
interface Interface {
  /** AUDIT_ARCH of <linux/audit.h>. */
  readonly arch: number;
  readonly socket: number;
  /** Calls that a program finds absent: add_key, request_key and keyctl, and what does things that the filter cannot see. */
  readonly absent: readonly number[];
  /** From this number on, all are absent. */
  readonly end?: number;
}

/** Absent because it opens sockets by itself. */
const IO_URING_SETUP = 425;

/** By `process.arch`: a machine's own interface and that of its 32-bit programs. */
const INTERFACES: Readonly<Record<string, readonly Interface[]>> = {
  x64: [
    // From there on, calls of the x32 interface, under the same `arch`.
    { arch: 0xc000003e, socket: 41, absent: [248, 249, 250, IO_URING_SETUP], end: 0x40000000 },
    // 102 is socketcall(2), whose arguments lie in memory, out of sight.
    { arch: 0x40000003, socket: 359, absent: [102, 286, 287, 288, IO_URING_SETUP] },
  ],
  arm64: [
    { arch: 0xc00000b7, socket: 198, absent: [217, 218, 219, IO_URING_SETUP] },
    { arch: 0x40000028, socket: 281, absent: [309, 310, 311, IO_URING_SETUP] },
  ],
};

const AF_VSOCK = 40;
const [ENOSYS, EAFNOSUPPORT] = [38, 97];

/** Offsets in struct seccomp_data; of the first argument, the half that counts on a little-endian machine. */
const [NUMBER, ARCH, FIRST_ARGUMENT] = [0, 4, 16];

/**
 * A filter for `bwrap --seccomp` against calls that lead past a sandbox: sockets to the host of a virtual machine (vsock(7)), and
 * the keyrings of whoever started Sluice (keyrings(7)). Undefined on a machine whose numbers it does not know.
 */
export function systemCallFilter(machine: string = process.arch): Buffer | undefined {
  const interfaces = INTERFACES[machine];
  if (interfaces === undefined) return undefined;
  const program = [load(ARCH), ...interfaces.flatMap(rulesOf), fail(ENOSYS)];
  return Buffer.concat(program.map(encode));
}

function rulesOf({ arch, socket, absent, end }: Interface): Instruction[] {
  const rules = [
    load(NUMBER),
    ...(end === undefined ? [] : [unlessAtLeast(end, 1), fail(ENOSYS)]),
    ...absent.flatMap((number) => [unlessEqual(number, 1), fail(ENOSYS)]),
    unlessEqual(socket, 3),
    load(FIRST_ARGUMENT),
    unlessEqual(AF_VSOCK, 1),
    fail(EAFNOSUPPORT),
    ALLOW,
  ];
  return [unlessEqual(arch, rules.length), ...rules];
}

const ALLOW: Instruction = [0x06, 0, 0, 0x7fff0000];

function load(offset: number): Instruction {
  return [0x20, 0, 0, offset];
}

/** Skips so many instructions where what was loaded is another value. */
function unlessEqual(value: number, skipped: number): Instruction {
  return [0x15, 0, skipped, value];
}

function unlessAtLeast(value: number, skipped: number): Instruction {
  return [0x35, 0, skipped, value];
}

function fail(error: number): Instruction {
  return [0x06, 0, 0, 0x00050000 + error];
}

function encode([code, ifTrue, ifFalse, value]: Instruction): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
