import { ProxyTrial } from "./contract/proxy/proxy-trial.js";
import { RunningHaproxy } from "./contract/proxy/running-haproxy.js";
import { AnsweringServer, Book, routesTo } from "./contract/proxy/counting.js";
const t = new ProxyTrial(async () => RunningHaproxy.start());
await t.begin(); const web = await AnsweringServer.start();
try {
  await t.apply("a", routesTo("a", 1, web.address));
  const book = new Book(t.proxy); await book.look(true);
  const slow = t.get("a", "/slow?ms=24000");
  for (let i=0;i<22;i++){ await new Promise(r=>setTimeout(r,1000)); await book.look(false); }
  console.log("before: listed lately", (await t.running.ask("show table hits data.http_req_rate gt 0")).split("\n").length, (await t.proxy.counts(false)).length);
  await slow;
  await book.look(false); await book.look(false);
  console.log(JSON.stringify((book as any).sums.get("a/v1")));
  const t0=performance.now(); for(let i=0;i<50;i++) await t.proxy.counts(false); console.log("idle/open ms each", (performance.now()-t0)/50);
} finally { await t.end(); await web.stop(); }
