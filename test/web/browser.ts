import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { TokenRole } from "../../src/store/tokens.ts";
import type { Site } from "../e2e/site.ts";

/** Debian's package, installed by scripts/test.sh; never a browser that a library downloads. */
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export interface View extends AsyncDisposable {
  page: Page;
  /** Addresses asked for, with what came. */
  requests: { url: string; method: string; bytes: number }[];
  /** Errors of the page and of its security policy. */
  problems: string[];
}

export interface ViewOptions {
  width?: number;
  height?: number;
  language?: string;
  dark?: boolean;
  /** A line of 100 kbit/s, a tenth of a second long. */
  slow?: boolean;
}

let shared: Promise<{ browser: Browser; folder: string }> | undefined;

/** One Chromium for the whole file; `closeBrowser` ends it. */
async function openBrowser(): Promise<Browser> {
  shared ??= launch();
  return (await shared).browser;
}

/** Its temporary files lie in a folder of their own: it leaves some of them when it is told to end while it makes one. */
async function launch(): Promise<{ browser: Browser; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "tattile-browser-"));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    env: { ...process.env, TMPDIR: folder },
    // Its own sandbox does not work as root, which CI is; it only ever sees pages of this machine.
    args: ["--no-sandbox", "--force-color-profile=srgb", "--disable-dev-shm-usage"],
  });
  return { browser, folder };
}

export async function closeBrowser(): Promise<void> {
  if (shared === undefined) return;
  const { browser, folder } = await shared;
  shared = undefined;
  await browser.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A fresh profile on one page of `url`: cookies and settings go with it. */
export async function openView(url: string, options: ViewOptions = {}): Promise<View> {
  const { width = 1280, height = 900, language = "en-GB", dark = false, slow = false } = options;
  const context = await (await openBrowser()).newContext({
    baseURL: url,
    viewport: { width, height },
    locale: language,
    timezoneId: "Europe/Madrid",
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  if (slow) {
    const line = await context.newCDPSession(page);
    await line.send("Network.enable");
    const conditions = { offline: false, latency: 100, downloadThroughput: 12_500, uploadThroughput: 12_500 };
    await line.send("Network.emulateNetworkConditions", conditions);
  }
  const requests: View["requests"] = [];
  const problems: string[] = [];
  page.on("requestfinished", async (request) => {
    const entry = { url: request.url(), method: request.method(), bytes: 0 };
    requests.push(entry);
    const sizes = await request.sizes().catch(() => null);
    if (sizes !== null) entry.bytes = sizes.responseBodySize + sizes.responseHeadersSize;
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // A refused login is an error to the browser's console too.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) problems.push(message.text());
  });
  await page.goto("/");
  return { page, requests, problems, [Symbol.asyncDispose]: () => context.close() };
}

/** Logs in with the token, as a person does. */
export async function logIn(page: Page, token: string): Promise<void> {
  await page.locator('input[name="token"]').fill(token);
  await page.locator('button[type="submit"]').click();
  await page.locator("nav").waitFor();
}

/** A token of this role, made on the machine. */
export async function makeToken(site: Site, role: TokenRole): Promise<string> {
  const { stdout } = await site.run("token", "create", `my ${role}`, "--role", role);
  return stdout.trim();
}

/** A view of somebody of this role who has logged in. */
export async function openAs(site: Site, role: TokenRole, options: ViewOptions = {}): Promise<View> {
  const view = await openView(site.url, options);
  await logIn(view.page, await makeToken(site, role));
  await view.page.locator(".verdict").waitFor();
  return view;
}

const AXE = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** What keeps people out of what the page shows now: rule and place. */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document).then(({ violations, passes }) => passes.length < 5 ? ["nothing was looked at"] :
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`);
}

/** How much wider than the window the page is, in pixels. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
