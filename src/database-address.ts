/** How the connection to PostgreSQL is protected; the words are libpq's. `require` encrypts without checking who answers. */
export const SSL_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Where a PostgreSQL database is and who asks for it. */
export interface DatabaseAddress {
  /** Tried in turn until one takes writes; a name that begins with / is the folder of a unix socket. */
  hosts: readonly { host: string; port: number }[];
  database: string;
  user: string;
  password: string | null;
  /** Null: not said; then none on a unix socket, else what the server offers (`prefer`). */
  sslMode: SslMode | null;
  /** PEM file of the authorities to trust; null: the system's. */
  sslRootCert: string | null;
}

const DEFAULT_PORT = 5432;
/** Schemes as written by people and by SQLAlchemy (`postgresql+psycopg2`). */
const SCHEME = /^postgres(?:ql)?(?:\+[a-z0-9_]+)?:\/\//i;

/**
 * Reads `postgresql://user:password@host:port/database?sslmode=…&sslrootcert=…&host=/socket/folder`, also with several hosts
 * separated by commas.
 * @returns null when it is no such address
 */
export function parseDatabaseAddress(text: string): DatabaseAddress | null {
  if (!SCHEME.test(text)) return null;
  const rest = text.replace(SCHEME, "");
  const match = /^(?:(.*)@)?([^/?#]*)\/?([^?#]*)(?:\?([^#]*))?$/.exec(rest);
  if (match === null) return null;
  const [, login = "", place = "", path = "", query = ""] = match;
  try {
    const parameters = new URLSearchParams(query);
    const colon = login.indexOf(":");
    const user = decodeURIComponent(colon < 0 ? login : login.slice(0, colon));
    const password = colon < 0 ? null : decodeURIComponent(login.slice(colon + 1));
    const hosts = readHosts(parameters.get("host") ?? decodeURIComponent(place), parameters.get("port"));
    const sslMode = parameters.get("sslmode") ?? null;
    const database = decodeURIComponent(path) || parameters.get("dbname") || user;
    if (hosts === null || user === "" || database === "") return null;
    if (sslMode !== null && !isSslMode(sslMode)) return null;
    return { hosts, database, user, password, sslMode, sslRootCert: parameters.get("sslrootcert") };
  } catch {
    // A % that encodes nothing.
    return null;
  }
}

/** The address without what is secret, for texts: `postgresql://user@host:port/database`. */
export function showDatabaseAddress({ hosts, database, user }: DatabaseAddress): string {
  const [first] = hosts;
  const names = hosts.map(({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)).join(",");
  if (first?.host.startsWith("/")) return `postgresql://${user}@/${database}?host=${first.host}&port=${first.port}`;
  return `postgresql://${user}@${names}/${database}`;
}

function isSslMode(text: string): text is SslMode {
  return (SSL_MODES as readonly string[]).includes(text);
}

function readHosts(text: string, defaultPort: string | null): DatabaseAddress["hosts"] | null {
  const hosts = (text === "" ? "localhost" : text).split(",").map((part) => {
    const match = part.startsWith("/") ? [part, part] : /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(part);
    const port = Number(match?.[2] ?? defaultPort ?? DEFAULT_PORT);
    const host = match?.[1]?.replace(/^\[(.*)\]$/, "$1") ?? "";
    return host !== "" && Number.isInteger(port) && port > 0 && port <= 65_535 ? { host, port } : null;
  });
  return hosts.every((host) => host !== null) ? hosts : null;
}
