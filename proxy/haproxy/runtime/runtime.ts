import { connect } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";

const ANSWER_TIMEOUT_MS = 5000;
/** HAProxy reads a line of commands into one buffer (`tune.bufsize`, 16 KiB). */
const LONGEST_LINE = 12_000;
const LONGEST_PAYLOAD = 15_800;

/** HAProxy's runtime API over a Unix socket, with a connection per line. Management guide 2.6, section 9.3. */
export class Runtime {
  constructor(
    private readonly socket: string,
    private readonly prefix = "",
  ) {}

  /** On the master's socket: sends commands to one of its workers. */
  of(pid: number): Runtime {
    return new Runtime(this.socket, `@!${pid} `);
  }

  /** Runs commands in order, on as few lines as possible, and returns their output. */
  async run(...commands: string[]): Promise<string> {
    const answers: string[] = [];
    for (const line of packed(commands.map((command) => this.prefix + command))) {
      const text = line.join("; ");
      if (text.length > LONGEST_LINE)
        throw new AppError("haproxy-refused", { command: `${text.slice(0, 80)}…`, answer: "line too long" });
      answers.push(await ask(this.socket, text));
    }
    return answers.join("");
  }

  /** Runs a command with lines of its own, none of which is empty. Its answer must match. */
  async feed(command: string, lines: string, wanted: RegExp): Promise<void> {
    const text = `${this.prefix}${command} <<\n${lines.trimEnd()}\n`;
    const answer = text.length > LONGEST_PAYLOAD ? "it is too long" : (await ask(this.socket, text)).trim();
    if (!wanted.test(answer)) throw new AppError("haproxy-refused", { command, answer });
  }

  /** Changes the address of a server that is in the configuration. */
  async setAddress(server: string, address: string): Promise<void> {
    const [ip = "", port = ""] = address.split(":");
    const command = `set server ${server} addr ${argument(ip)} port ${argument(port)}`;
    const answer = (await this.run(command)).trim();
    if (!ADDRESS_ANSWER.test(answer)) throw new AppError("haproxy-refused", { command, answer });
  }

  /** Runs commands that must each answer nothing, or with this sentence. Long lists take several lines, in order. */
  async expect(
    sentence: "" | "New server registered." | "Server deleted.",
    commands: readonly string[],
  ): Promise<void> {
    for (const line of packed(commands)) {
      const answer = (await this.run(...line)).trim();
      const wanted = sentence === "" ? "" : sentence;
      if (answer !== wanted)
        throw new AppError("haproxy-refused", { command: line.join("; ").slice(0, 300), answer });
    }
  }
}

/** `set server … addr`: each line says what was changed, or that there was no need to. */
const ADDRESS_ANSWER = /^(?:(?:IP|port) changed|no need to change)[^\n]* by 'stats socket command'$/;

/** An argument must not end the command or begin another. */
export function argument(text: string): string {
  if (!/^[A-Za-z0-9@/._:*|][A-Za-z0-9@/._:*|,-]*$/.test(text))
    throw new AppError("haproxy-refused", { command: text, answer: "not an argument" });
  return text;
}

/** `HOST:PORT` or `unix@PATH`. */
export function addressArgument(text: string): string {
  if (!/^(?:[A-Za-z0-9.-]+:\d{1,5}|unix@\/.+)$/.test(text))
    throw new AppError("haproxy-refused", { command: text, answer: "not an address" });
  return argument(text);
}

function* packed(commands: readonly string[]): Generator<string[]> {
  let line: string[] = [];
  let length = 0;
  for (const command of commands) {
    if (line.length > 0 && length + command.length + 2 > LONGEST_LINE) {
      yield line;
      line = [];
      length = 0;
    }
    line.push(command);
    length += command.length + 2;
  }
  if (line.length > 0) yield line;
}

async function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    // The master's socket answers and then waits for more commands, unless it sees the end of the input.
    const socket = connect({ path, allowHalfOpen: true }, () => socket.end(`${line}\n`));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("end", () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    socket.once("error", (error) => {
      reject(
        new AppError(
          "haproxy-refused",
          { command: line.slice(0, 300), answer: error.message },
          { cause: error },
        ),
      );
    });
  });
}
