import { delimited } from "./delimited.js";

/** A host whose visitors are sent on to https, in the map `https`. `app`: `APP/`. */
export const httpsEntry = delimited("|", "app", "hstsSeconds");
