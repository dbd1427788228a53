import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import type { Layer } from "../../../server/builds/image/layers/write-layer.js";

/** What a layer's file has, in its order. */
export async function layerEntries({ file }: Pick<Layer, "file">): Promise<Header[]> {
  const entries: Header[] = [];
  const tar = extract();
  tar.on("entry", (header, content, next) => {
    entries.push(header);
    content.on("end", next).resume();
  });
  await new Promise<void>((resolve, reject) => {
    const unzipped = createReadStream(file).on("error", reject).pipe(createGunzip());
    unzipped.on("error", reject).pipe(tar).on("finish", resolve).on("error", reject);
  });
  return entries;
}
