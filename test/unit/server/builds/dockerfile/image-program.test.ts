import { expect } from "chai";
import { imageProgram, parseImageConfig } from "../../../../../server/builds/dockerfile/image-program.js";

const SECOND = 1e9;
const programOf = (config: object, port?: number): ReturnType<typeof imageProgram> =>
  imageProgram(parseImageConfig(JSON.stringify(config)), port);

describe("the program of an image", () => {
  it("is what the image says, whatever it leaves out", () => {
    const { program, remarks } = programOf({ Cmd: ["node", "server.js"], Entrypoint: null, Volumes: null });
    expect(program).to.deep.equal({ entrypoint: [], command: ["node", "server.js"], user: "", port: 5000 });
    expect(remarks).to.deep.equal([]);
    expect(programOf({ Entrypoint: ["/run"], Cmd: ["-v"], User: "1000:1000" }).program).to.include({
      user: "1000:1000",
    });
  });

  it("listens where app.json says, else ENV PORT, else the lowest EXPOSE", () => {
    const exposed = { ExposedPorts: { "9000/tcp": {}, "8080/tcp": {}, "53/udp": {} } };
    expect(programOf({ ...exposed, Env: ["PORT=3000"] }, 7000).program.port).to.equal(7000);
    expect(programOf({ ...exposed, Env: ["PATH=/bin", "PORT=3000"] }).program.port).to.equal(3000);
    const { program, remarks } = programOf(exposed);
    expect(program.port).to.equal(8080);
    expect(remarks).to.deep.equal([
      "EXPOSE names 8080, 9000: visitors get to 8080 (sluice.dockerfile.port in app.json)",
    ]);
    expect(programOf({ Env: ["PORT=$OTHER"], ExposedPorts: { "80/tcp": {} } }).program.port).to.equal(80);
    expect(programOf({ ExposedPorts: { "53/udp": {} } }).program.port).to.equal(5000);
  });

  it("is looked at after three seconds at the latest, and given as much time as the image says", () => {
    const checkOf = (Healthcheck: object): object | undefined =>
      programOf({ Healthcheck }).program.healthCheck;
    const Test = ["CMD-SHELL", "curl -f localhost"];
    expect(checkOf({ Test })).to.deep.equal({ intervalSeconds: 3, retries: 30 });
    expect(checkOf({ Test, Interval: 10 * SECOND, Retries: 2 })).to.deep.equal({
      intervalSeconds: 3,
      retries: 7,
    });
    expect(checkOf({ Test, Interval: SECOND / 2, Retries: 1 })).to.deep.equal({
      intervalSeconds: 0.5,
      retries: 1,
    });
    expect(checkOf({ Test: ["NONE"] })).to.equal(undefined);
  });

  it("keeps nothing in a volume, which is said", () => {
    expect(programOf({ Volumes: { "/data": {} } }).remarks).to.deep.equal([
      "VOLUME /data: what is written there goes with its instance",
    ]);
  });
});
