import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { closeBrowser, logIn, openView, type ViewOptions } from "./browser.ts";
import { openStagedSite } from "./staged-site.ts";

// Makes the pictures of docs/img from the built binary: npm run screenshots

const FOLDER = join(import.meta.dir, "../../docs/img");
const WIDE = { width: 1280, height: 900, language: "en-GB" };
const PHONE = { width: 360, height: 740, language: "en-GB" };

interface Picture extends ViewOptions {
  name: string;
  address: string;
  /** What must be there before. */
  sign: string;
  /** All of the page, or what a window shows. */
  whole?: boolean;
}

const PICTURES: readonly Picture[] = [
  { ...WIDE, name: "overview-1280", address: "#/", sign: ".chart canvas", whole: true },
  { ...PHONE, name: "overview-360", address: "#/", sign: ".chart canvas", height: 1120 },
  { ...WIDE, name: "message-1280", address: "#/messages/61", sign: ".life li", whole: true },
  { ...PHONE, name: "quarantine-360", address: "#/quarantine", sign: ".held form", whole: true },
  { ...WIDE, name: "certificates-1280", address: "#/certificates", sign: "tbody tr", dark: true, height: 560 },
  { ...PHONE, name: "resumen-360", address: "#/", sign: ".chart canvas", language: "es", dark: true },
];

await using site = await openStagedSite();
const { stdout } = await site.run("token", "create", "Marta", "--role", "admin");
const token = stdout.trim();
mkdirSync(FOLDER, { recursive: true });
for (const { name, address, sign, whole = false, ...options } of PICTURES) {
  await using view = await openView(site.url, options);
  const { page } = view;
  await logIn(page, token);
  await page.goto(`/${address}`);
  await page.locator(sign).first().waitFor();
  const pictures = page.getByRole("button", { name: "Show the pictures" });
  if (await pictures.isVisible()) await pictures.click();
  await page.waitForLoadState("networkidle").catch(() => {});
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: whole });
  if (view.problems.length > 0) throw new Error(`${name}: ${view.problems.join("; ")}`);
  console.log(`docs/img/${name}.png`);
}
await closeBrowser();
