import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomically } from "../../../../core/files/atomic-file.js";

const schema = z.object({ place: z.string(), repositories: z.array(z.string()) });

/** To which repositories of an outside registry we have pushed, in a file: it rarely tells, and has others that are not ours. */
export class PushedRepositories {
  private names: Promise<Set<string>> | undefined;

  constructor(
    private readonly file: string,
    /** `HOST:PORT/PREFIX`: those of another registry are forgotten. */
    private readonly place: string,
  ) {}

  async list(): Promise<string[]> {
    return [...(await this.read())].sort();
  }

  /** Before the first push to it. */
  async add(repository: string): Promise<void> {
    const names = await this.read();
    if (names.has(repository)) return;
    names.add(repository);
    await this.write(names);
  }

  async remove(repositories: readonly string[]): Promise<void> {
    const names = await this.read();
    const removed = repositories.filter((name) => names.delete(name));
    if (removed.length > 0) await this.write(names);
  }

  private async read(): Promise<Set<string>> {
    return (this.names ??= this.load());
  }

  private async load(): Promise<Set<string>> {
    const text = await readFile(this.file, "utf8").catch(() => "{}");
    const found = schema.safeParse(JSON.parse(text));
    return new Set(found.success && found.data.place === this.place ? found.data.repositories : []);
  }

  private async write(names: ReadonlySet<string>): Promise<void> {
    const text = JSON.stringify({ place: this.place, repositories: [...names].sort() });
    await writeFileAtomically(this.file, text, 0o600);
  }
}
