import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { layerFileName, writeLayer, type Layer, type LayerSource } from "./write-layer.js";

const DIGEST = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const noteSchema = z.strictObject({ digest: DIGEST, diffId: DIGEST, bytes: z.number() });
/** Older is what a crash left: no layer takes a day. */
const DRAFT_MS = 24 * 3600 * 1000;

/**
 * Layers on this machine, and notes that say which layer was made for which key. A layer's file is named by its digest, so
 * that two who make the same one at once do not disturb each other.
 */
export class LayerStore {
  constructor(readonly folder: string) {}

  /** A layer without a key, for one image. `drop` it when it is in the registry. */
  async write(source: LayerSource, signal: AbortSignal): Promise<Layer> {
    return writeLayer(source, this.folder, signal);
  }

  /** The layer for a key (any text); `make` is asked for it when there is none. */
  async cached(key: string, make: () => Promise<Layer>): Promise<Layer> {
    const kept = await this.kept(key);
    if (kept !== undefined) return kept;
    const layer = await make();
    const { digest, diffId, bytes } = layer;
    await writeFileAtomically(this.note(key), JSON.stringify({ digest, diffId, bytes }), 0o600);
    return layer;
  }

  /** Removes a layer's file, unless a key's layer is the same. */
  async drop(layer: Layer): Promise<void> {
    const noted = new Set((await this.notes()).map(({ digest }) => digest));
    if (!noted.has(layer.digest)) await rm(layer.file, { force: true });
  }

  /** Removes all but the layers of the `most` keys that were used last, and what a crash left. */
  async prune(most: number): Promise<void> {
    const notes = (await this.notes()).sort((a, b) => b.usedAt - a.usedAt);
    for (const { path } of notes.slice(most)) await rm(path, { force: true });
    const kept = new Set(notes.slice(0, most).map(({ digest }) => layerFileName(digest)));
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (kept.has(name) || name.endsWith(".json")) continue;
      // Layers without a key are used by whoever has made them.
      const { mtimeMs } = await stat(join(this.folder, name)).catch(() => ({ mtimeMs: Date.now() }));
      if (Date.now() - mtimeMs > DRAFT_MS) await rm(join(this.folder, name), { force: true });
    }
  }

  private async kept(key: string): Promise<Layer | undefined> {
    const note = await readNote(this.note(key));
    if (note === undefined) return undefined;
    const file = join(this.folder, layerFileName(note.digest));
    const found = await stat(file).catch(() => undefined);
    if (found?.size !== note.bytes) return undefined;
    const now = new Date();
    await utimes(this.note(key), now, now);
    return { file, ...note };
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
}

/** Undefined for one that is not there or cannot be read: the layer is made again. */
async function readNote(path: string): Promise<z.infer<typeof noteSchema> | undefined> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
