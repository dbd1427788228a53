import { deliverAll, type DelivererOptions } from "./deliverer.js";

// Started by webhooks.ts: one message with the options, one back with all answers.
process.once("message", (options) => {
  void deliverAll(options as DelivererOptions).then((all) => process.send?.(all, () => process.disconnect()));
});
process.on("SIGINT", () => undefined);
process.once("disconnect", () => process.exit(0));
