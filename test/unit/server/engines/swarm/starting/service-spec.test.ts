import { expect } from "chai";
import type { ImageProgram } from "../../../../../../core/records/releases/artifact.js";
import type { InstanceSpec } from "../../../../../../server/engines/engine.js";
import { serviceSpec } from "../../../../../../server/engines/swarm/starting/service-spec.js";

const PROGRAM = { entrypoint: [], command: ["/run"], user: "", port: 8080 };

function containerOf(program: Partial<ImageProgram>, listen: InstanceSpec["listen"] = "port") {
  const instance: InstanceSpec = {
    ...{ id: "shop.v1.web.1", app: "shop", command: "", env: { KEY: "s3cret" }, listen },
    artifact: { kind: "program", reference: "r/shop@sha256:1", program: { ...PROGRAM, ...program } },
    limits: { memoryMegabytes: 64, processes: 32, scratchMegabytes: 16 },
  };
  const secret = { id: "i", name: "n" };
  const options = {
    name: "n",
    owner: "o",
    image: "r/shop@sha256:1",
    constraints: [],
    stopSeconds: 30,
    secret,
  };
  const spec = serviceSpec(instance, options);
  expect(JSON.stringify(spec)).not.to.include("s3cret");
  const { TaskTemplate } = spec as { TaskTemplate: { ContainerSpec: Record<string, unknown> } };
  return TaskTemplate.ContainerSpec;
}

describe("the service of an image's program", () => {
  it("is looked at after whole nanoseconds, as Docker counts them, whatever the image says", () => {
    for (const intervalSeconds of [1.1, 0.0003, 3]) {
      const { HealthCheck } = containerOf({ healthCheck: { intervalSeconds, retries: 3 } });
      expect(HealthCheck).to.have.property("Interval").that.satisfies(Number.isInteger);
    }
  });

  it("is not looked at by the check for web when it is another process", () => {
    const healthCheck = { intervalSeconds: 3, retries: 3 };
    expect(containerOf({ healthCheck }, "nothing")).to.deep.include({ HealthCheck: { Test: ["NONE"] } });
  });

  it("has capabilities only as root", () => {
    expect(containerOf({ user: "node" })).to.deep.include({ CapabilityDrop: ["ALL"], CapabilityAdd: [] });
    expect(containerOf({ user: "0:0" })["CapabilityAdd"])
      .to.include("SETUID")
      .and.not.to.include("NET_RAW");
  });

  it("keeps what it starts with from other users where the image's user has a number", () => {
    const readersOf = (user: string): unknown =>
      (containerOf({ user })["Secrets"] as { File: unknown }[])[0]?.File;
    expect(readersOf("1000:50")).to.include({ Mode: 0o400, UID: "1000" });
    expect(readersOf("")).to.include({ Mode: 0o400, UID: "0" });
    expect(readersOf("node")).to.include({ Mode: 0o444 });
  });
});
