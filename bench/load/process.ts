import { LoadGenerator, type LoadOptions } from "./generator.js";

// Started by load.ts. First message: the options; the second ends the load, and all answers are sent back.
process.once("message", (options) => {
  const generator = new LoadGenerator(options as LoadOptions);
  process.once("message", () => {
    void generator.stop().then((answers) => process.send?.(answers, () => process.disconnect()));
  });
});
// A Ctrl-C reaches the whole group; whoever started it ends it.
process.on("SIGINT", () => undefined);
process.once("disconnect", () => process.exit(0));
process.send?.("ready");
