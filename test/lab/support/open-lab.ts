import { Lab } from "../lab.js";

/** Boots a host and stays until it is killed. */
await (await Lab.open()).boot(1);
process.stdout.write("booted\n");
setInterval(() => undefined, 1000);
