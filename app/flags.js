/** A service that takes longer is away: a visitor does not wait for it. */
const TIMEOUT_MS = 500;
const UNREACHABLE = "GENERAL";

/**
 * Feature flags, read through OpenFeature from an OFREP service at `url`. The SDK is loaded by the first request that asks
 * for a flag; without a `url` nothing is loaded, and every flag is off.
 */
export class Flags {
  #url;
  #token;
  #context;
  #timeoutMs;
  #client;
  #asking = new Map();
  #known = new Map();

  constructor({ url, token, track, timeoutMs = TIMEOUT_MS }) {
    this.#url = URL.canParse(url ?? "") ? url : undefined;
    this.#token = token ?? "";
    this.#context = { track };
    this.#timeoutMs = timeoutMs;
  }

  /**
   * A flag that is not there, or is no boolean, is off. While the service cannot be reached, it stays as it was. Nothing
   * is kept for later, but requests that come while one asks share its answer, so that many cost no more than one.
   */
  async isOn(flag) {
    if (this.#url === undefined) return false;
    if (!this.#asking.has(flag)) {
      const answer = this.#ask(flag).finally(() => this.#asking.delete(flag));
      this.#asking.set(flag, answer);
    }
    return this.#asking.get(flag);
  }

  async #ask(flag) {
    const client = await (this.#client ??= open(this.#url, this.#token, this.#timeoutMs));
    const { value, errorCode } = await client.getBooleanDetails(flag, false, this.#context);
    if (errorCode === UNREACHABLE) return this.#known.get(flag) ?? false;
    this.#known.set(flag, value);
    return value;
  }
}

async function open(url, token, timeoutMs) {
  const [{ OpenFeature }, { OFREPProvider }] = await Promise.all([
    import("@openfeature/server-sdk"),
    import("@openfeature/ofrep-provider"),
  ]);
  const provider = new OFREPProvider({
    baseUrl: url,
    headers: { Authorization: `Bearer ${token}` },
    fetchImplementation: (request) => fetch(request, { signal: AbortSignal.timeout(timeoutMs) }),
  });
  await OpenFeature.setProviderAndWait(url, provider);
  return OpenFeature.getClient(url);
}
