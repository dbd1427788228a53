import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SharedWork } from "../../../../core/async/shared-work.js";
import { writeFileAtomically } from "../../../../core/files/atomic-file.js";
import { removeTree } from "../../../../core/files/remove-tree.js";
import { writeLayer, type Layer, type LayerSource } from "./write-layer.js";

const DIGEST = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const noteSchema = z.strictObject({
  digest: DIGEST,
  diffId: DIGEST,
  bytes: z.number(),
  /** ms since 1970; earlier versions did not say it. */
  madeAt: z.number().default(0),
});
/** Older is what a crash left: no layer takes a day. */
const DRAFT_MS = 24 * 3600 * 1000;
/** apt's own user must get through to what is made in here; nobody sees what there is. */
const FOLDER_MODE = 0o711;

/** Layers on this machine, and notes that say which layer was made for which key. */
export class LayerStore {
  private readonly making = new SharedWork<Layer>();

  constructor(private readonly folder: string) {}

  /** A layer without a key, for one image, in a file that nobody else has. `drop` it when it is in the registry. */
  async write(source: LayerSource, signal: AbortSignal): Promise<Layer> {
    await this.makeFolder();
    return writeLayer(source, join(this.folder, `${randomBytes(8).toString("hex")}.tar.gz`), signal);
  }

  /**
   * The layer for a key (any text). When there is none, `make` writes it, once for all who ask for it meanwhile; its signal
   * aborts when none of them waits any more.
   */
  async cached(
    key: string,
    make: (signal: AbortSignal) => Promise<Layer>,
    signal: AbortSignal,
  ): Promise<Layer> {
    const kept = await this.kept(key);
    if (kept !== undefined) return kept;
    return this.making.run(key, async (stop) => this.keep(key, await make(stop)), signal);
  }

  /** Makes the layer for a key again when it was made longer ago than that. One that there is not is nothing to renew. */
  async renew(
    key: string,
    maxAgeMs: number,
    make: (signal: AbortSignal) => Promise<Layer>,
    signal: AbortSignal,
  ): Promise<void> {
    const note = await readNote(this.note(key));
    if (note === undefined || Date.now() - note.madeAt < maxAgeMs) return;
    await this.making.run(`again ${key}`, async (stop) => this.keep(key, await make(stop)), signal);
  }

  /** Work in a folder of its own in the store, which is gone afterwards. */
  async inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
    await this.makeFolder();
    const folder = join(this.folder, `${randomBytes(8).toString("hex")}.tmp`);
    await mkdir(folder, { mode: FOLDER_MODE });
    try {
      return await work(folder);
    } finally {
      await removeTree(folder);
    }
  }

  /** Removes the file of a layer without a key. */
  async drop(layer: Layer): Promise<void> {
    await rm(layer.file, { force: true });
  }

  /** Removes all but the layers of the `most` keys that were used last, and what a crash left. */
  async prune(most: number): Promise<void> {
    const notes = (await this.notes()).sort((a, b) => b.usedAt - a.usedAt);
    for (const { path } of notes.slice(most)) await rm(path, { force: true });
    const kept = new Set(notes.slice(0, most).map(({ digest }) => fileName(digest)));
    const pruned = new Set(notes.slice(most).map(({ digest }) => fileName(digest)));
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (kept.has(name) || name.endsWith(".json")) continue;
      const path = join(this.folder, name);
      // What has no note may be somebody's work.
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
      if (pruned.has(name) || Date.now() - mtimeMs > DRAFT_MS) await removeTree(path);
    }
  }

  private async kept(key: string): Promise<Layer | undefined> {
    const note = await readNote(this.note(key));
    if (note === undefined) return undefined;
    const file = join(this.folder, fileName(note.digest));
    const found = await stat(file).catch(() => undefined);
    if (found?.size !== note.bytes) return undefined;
    const now = new Date();
    // Without a note, as after a prune, the next one makes the layer again.
    await utimes(this.note(key), now, now).catch(() => undefined);
    return { file, digest: note.digest, diffId: note.diffId, bytes: note.bytes };
  }

  /** Takes over a layer's file; what is there after a crash is whole. */
  private async keep(key: string, { file, digest, diffId, bytes }: Layer): Promise<Layer> {
    await sync(file);
    const kept = join(this.folder, fileName(digest));
    await rename(file, kept);
    await writeFileAtomically(
      this.note(key),
      JSON.stringify({ digest, diffId, bytes, madeAt: Date.now() }),
      0o600,
    );
    return { file: kept, digest, diffId, bytes };
  }

  private async notes(): Promise<{ path: string; digest: string; usedAt: number }[]> {
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => name.endsWith(".json"));
    const read = names.map(async (name) => {
      const path = join(this.folder, name);
      const [note, found] = [await readNote(path), await stat(path).catch(() => undefined)];
      return { path, digest: note?.digest ?? "", usedAt: found?.mtimeMs ?? 0 };
    });
    return Promise.all(read);
  }

  private note(key: string): string {
    return join(this.folder, `${createHash("sha256").update(key).digest("hex")}.json`);
  }

  private async makeFolder(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: FOLDER_MODE });
  }
}

function fileName(digest: string): string {
  return `${digest.replace(":", "-")}.tar.gz`;
}

/** Undefined for one that is not there or cannot be read: the layer is made again. */
async function readNote(path: string): Promise<z.infer<typeof noteSchema> | undefined> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
