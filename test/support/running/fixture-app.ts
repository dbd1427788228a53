import { cp } from "node:fs/promises";
import { ask, type Question } from "../network/ask.js";
import type { PushResult, TestClone } from "../git/test-clone.js";
import { TestSluice, type HttpAnswer, type TestSluiceOptions } from "./test-sluice.js";

const FOLDER = new URL("../../fixtures/apps/", import.meta.url).pathname;

/** An app of test/fixtures/apps and a Sluice that it alone is pushed to. */
export class FixtureApp {
  private constructor(
    readonly name: string,
    readonly sluice: TestSluice,
    readonly clone: TestClone,
  ) {}

  /** Starts Sluice; nothing is pushed. */
  static async prepare(name: string, options: TestSluiceOptions = {}): Promise<FixtureApp> {
    const sluice = await TestSluice.start(options);
    const clone = await sluice.clone(name, {});
    const isOwn = (path: string): boolean => !/\/(?:node_modules|\.next|__pycache__)$/.test(path);
    await cp(FOLDER + name, clone.folder, { recursive: true, filter: isOwn });
    return new FixtureApp(name, sluice, clone);
  }

  /** Commits what has changed, and pushes it. */
  async push(files: Record<string, string> = {}): Promise<PushResult> {
    await this.clone.commit(files);
    return this.clone.mustPush();
  }

  /** A visitor's request. */
  async ask(path: string, question: Question = {}): Promise<HttpAnswer> {
    const headers = { host: `${this.name}.localhost`, ...question.headers };
    return ask(`127.0.0.1:${this.sluice.httpPort}`, { ...question, path, headers });
  }

  /** What the app answers to a visitor, who expects success. */
  async read<T>(path: string, question: Question = {}): Promise<T> {
    const { status, body } = await this.ask(path, question);
    if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
    return JSON.parse(body) as T;
  }

  async logs(): Promise<string> {
    return (await this.sluice.cli("logs", this.name, "-n", "200")).stdout;
  }

  async dispose(): Promise<void> {
    await this.sluice.dispose();
  }
}
