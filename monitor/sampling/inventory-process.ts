import { cpu, osInfo, system } from "systeminformation";

/** The program that `fullInventory` runs: prints what it found out as JSON. */
const [os, processor, machine] = await Promise.all([osInfo(), cpu(), system()]);
const found = {
  system: `${os.distro} ${os.release}`.trim(),
  kernel: os.kernel,
  processor: `${processor.manufacturer} ${processor.brand}`.trim(),
  virtual: machine.virtual ? (machine.virtualHost ?? "virtual") : "",
};
process.stdout.write(JSON.stringify(found));
