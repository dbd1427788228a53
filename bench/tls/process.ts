import { runTlsLoad, type TlsLoad } from "./tls-load.js";

// Started by tls-client.ts. Each message is a load; its result, or the error's text, is sent back.
process.on("message", (load) => {
  runTlsLoad(load as TlsLoad).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.(String(error)),
  );
});
// A Ctrl-C reaches the whole group; whoever started it ends it.
process.on("SIGINT", () => undefined);
process.once("disconnect", () => process.exit(0));
