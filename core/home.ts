import { join } from "node:path";
import { releaseName } from "./names.js";

/** Of a Unix socket's path, which ends with a zero byte in 108 (unix(7)). */
const LONGEST_SOCKET_PATH_BYTES = 107;

/** Where things lie in the state folder (`SLUICE_HOME`). Nothing else in the code joins these paths. */
export class Home {
  constructor(readonly root: string) {}

  readonly settings = (): string => join(this.root, "sluice.yml");
  readonly token = (): string => join(this.root, "token");
  readonly key = (): string => join(this.root, "key");
  readonly pid = (): string => join(this.root, "server.pid");
  /** Its existence says that the records in Redis are signed: one without a signature is forged. */
  readonly recordsSigned = (): string => join(this.root, "records-signed");
  /** What its processes are called in Redis. */
  readonly id = (): string => join(this.root, "id");
  /** Where the CLI reaches the server; undefined where the path would be too long for a socket. */
  readonly controlSocket = (): string | undefined => {
    const path = join(this.root, "control.sock");
    return Buffer.byteLength(path) > LONGEST_SOCKET_PATH_BYTES ? undefined : path;
  };
  readonly log = (): string => join(this.root, "server.log");
  /** An empty folder, over which each sandbox mounts what it may lose. */
  readonly scratch = (): string => join(this.root, "scratch");
  readonly systemCallFilter = (): string => join(this.root, "seccomp");
  /** Who has which network (`Networks`). */
  readonly networks = (): string => join(this.root, "networks");
  /** Whom apps in networks of their own ask for names (resolv.conf(5)). */
  readonly resolvConf = (): string => join(this.root, "resolv.conf");
  /** The port of 127.0.0.1 at which apps' networks find the flags. */
  readonly flagsPort = (): string => join(this.root, "flags-port");
  /** Room that is given back when an instance must be started on a full disk. */
  readonly reserve = (): string => join(this.root, "reserve");
  readonly sshHostKey = (): string => join(this.root, "ssh_host_key");
  /** HOME for the git processes of the server, so that no user's settings reach them. */
  readonly gitHome = (): string => join(this.root, "git");

  /** Where the replicas of Redis are (`RedisPlaces`). */
  readonly redisPlaces = (): string => join(this.root, "redis-places.json");
  /** Whose replica the Redis of this host is (`ReplicaOrder`). */
  readonly redisReplica = (): string => join(this.root, "redis-replica.json");
  readonly redis = (file = ""): string => join(this.root, "redis", file);
  /** Of its certificate, where other hosts reach it. */
  readonly redisCertificate = (file = ""): string => join(this.root, "redis", "tls", file);
  /** Sluice's own SSH key, by which it logs in to other hosts. */
  readonly hostsKey = (): string => join(this.root, "ssh_key");
  /** Of certificates, where there is no `key`: on a host that is only a proxy. */
  readonly certificatesKey = (): string => join(this.root, "certificates_key");
  /** Of the Redis that apps use. */
  readonly appsRedis = (file = ""): string => join(this.root, "apps-redis", file);
  readonly haproxy = (file = ""): string => join(this.root, "haproxy", file);

  /** It exists while a Swarm may run instances. */
  readonly swarm = (): string => join(this.root, "swarm");
  /** Of the registry of images. */
  readonly registry = (file = ""): string => join(this.root, "registry", file);
  /** Of Docker's command, and of what it builds. */
  readonly docker = (file = ""): string => join(this.root, "docker", file);
  /** What images are made of: layers that several releases have. */
  readonly layers = (): string => join(this.root, "layers");

  readonly services = (): string => join(this.root, "services");
  /** The folder that one `runsv` supervises. */
  readonly service = (id: string): string => join(this.root, "services", id);
  readonly logs = (): string => join(this.root, "logs");
  /** A folder in it for each app that wants one. */
  readonly accessLogs = (): string => join(this.root, "logs", "access");
  readonly accessLog = (app: string): string => join(this.accessLogs(), app);
  readonly serviceLog = (id: string): string => join(this.root, "logs", id);
  /** Unix sockets of an app's instances. */
  readonly sockets = (app: string): string => join(this.root, "sockets", app);

  readonly apps = (): string => join(this.root, "apps");
  readonly app = (app: string): string => join(this.root, "apps", app);
  readonly repository = (app: string): string => join(this.app(app), "repo.git");
  readonly releases = (app: string): string => join(this.app(app), "releases");
  readonly release = (app: string, number: number): string => join(this.releases(app), releaseName(number));
  /** The tree that instances of a release run in. */
  readonly tree = (app: string, number: number): string => join(this.release(app, number), "tree");
  /** The clean checkout that the gates of a release run in. */
  readonly gatesTree = (app: string, number: number): string => join(this.release(app, number), "gates");
  readonly releaseOutput = (app: string, number: number): string =>
    join(this.release(app, number), "output.log");
  /** What may outlive a release: dependency trees. */
  readonly cache = (app: string): string => join(this.app(app), "cache");
  /** What package managers have downloaded for an app: a folder for production, another for previews. */
  readonly downloads = (app: string): string => join(this.app(app), "downloads");
  /** Node.js versions that apps asked for. */
  readonly runtimes = (): string => join(this.root, "runtimes");
}
