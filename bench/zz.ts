import { SHAPES, BEYOND } from "./canary/shapes.js";
import { judgeEqual } from "./canary/equal-canaries.js";
import { seededRandom } from "./seeded-random.js";
for (const shape of [...SHAPES, ...BEYOND].filter(({ name }) => /crash|restart|outage|stalls|ordinary/.test(name))) {
  const began = Date.now();
  const { failed, canaries } = await judgeEqual(shape, Number(process.argv[2] ?? 200), seededRandom(1));
  console.log(shape.name, failed, canaries, Date.now() - began);
}
