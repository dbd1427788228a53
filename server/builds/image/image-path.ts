import { APP_FOLDER } from "../placed-tree.js";

/** PATH of programs in an image, in the order of `processEnvironment`: the app's own, its runtime, Debian. */
export const IMAGE_PATH = [
  `${APP_FOLDER}/node_modules/.bin`,
  `${APP_FOLDER}/.venv/bin`,
  ...["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"],
].join(":");
