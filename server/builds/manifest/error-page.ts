import { AppError } from "../../../core/errors/app-error.js";
import { readTreeFile } from "../tree-file.js";

/** Where a tree has the page for visitors whom no instance answers. */
const ERROR_PAGE = "errors/503.html";
/** It must fit into HAProxy's buffer (`tune.bufsize`, 16 KiB), with the headers. */
export const LARGEST_ERROR_PAGE_BYTES = 12 * 1024;

/** The page, or undefined. Throws `error-page-too-large`, or as `readTreeFile`. */
export async function readErrorPage(tree: string): Promise<string | undefined> {
  const html = await readTreeFile(tree, ERROR_PAGE);
  if (html === undefined || html.trim() === "") return undefined;
  const bytes = Buffer.byteLength(html);
  if (bytes > LARGEST_ERROR_PAGE_BYTES)
    throw new AppError("error-page-too-large", { path: ERROR_PAGE, bytes, most: LARGEST_ERROR_PAGE_BYTES });
  return html;
}
