import { afterAll, expect, test } from "bun:test";
import { openSite } from "../e2e/site.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { closeBrowser, findBarriers, logIn, makeToken, openAs, openView } from "./browser.ts";
import { sendReading } from "./staged-site.ts";

afterAll(closeBrowser);

test("shows how the first token is made, notices when it is there, and lets in who has it", async () => {
  await using site = await openSite();
  await site.start("api");
  await using view = await openView(site.url);
  const { page } = view;
  await page.getByRole("heading", { name: "Welcome to tattile" }).waitFor();
  expect(await page.locator("code").textContent()).toContain("tattile token create");

  expect(await findBarriers(page)).toEqual([]);

  const token = await makeToken(site, "viewer");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByLabel("Token").fill(`tat_${"A".repeat(43)}`);
  await page.getByRole("button", { name: "Log in" }).click();
  expect(await page.getByRole("alert").textContent()).toContain("not known");

  await logIn(page, token);
  await page.getByRole("heading", { name: "Readings do not get through" }).waitFor();
  await page.reload();
  await page.locator(".verdict").waitFor();
  await page.locator("summary").getByText("my viewer").click();
  expect(await page.locator(".who").textContent()).toBe("my viewer (viewer)");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(view.problems).toEqual([]);
});

test("a revoked token is out at once", async () => {
  await using site = await openSite();
  await site.start("api");
  await using view = await openAs(site, "viewer");
  await site.run("token", "revoke", "my viewer", "--yes");
  await view.page.getByRole("heading", { name: "Welcome to tattile" }).waitFor({ timeout: 45_000 });
});

test("a reading is told to the page as it arrives and is delivered, without being asked for", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.start();
  await using view = await openAs(site, "viewer");
  const { page } = view;
  await page.getByText("Nothing to do.", { exact: true }).or(page.locator(".attention")).first().waitFor();
  // From here on only what the server sends by itself can change what is seen.
  await page.route("**/api/v1/{status,series,messages}**", (route) => route.abort());
  site.mossos.behave({ answer: { kind: "accept" }, delayMs: 1500 });
  const [received, delivered, waiting] = ["div:first-child", ".delivered", ".waiting"].map((part) =>
    page.locator(`.balance ${part} dd`),
  );
  await sendReading(site, "2001008851", "1234BCD");
  await received?.getByText("1", { exact: true }).waitFor();
  await waiting?.getByText("1", { exact: true }).waitFor();
  expect(await page.locator(".verdict h1").textContent()).toMatch(/1 reading on the way|Something needs you/);
  await delivered?.getByText("1", { exact: true }).waitFor();
  await waiting?.getByText("0", { exact: true }).waitFor();
  await page.getByText("It adds up").waitFor();
  expect(await page.getByRole("row", { name: /2001008851/ }).textContent()).toMatch(/2001008851\s*\d+ s ago/);
});

test("says that what it shows may be old while the service is away, and goes on by itself", async () => {
  await using site = await openSite();
  const service = await site.start();
  await using view = await openAs(site, "viewer");
  const { page } = view;
  await service.kill();
  await page.getByRole("alert").getByText("No connection").waitFor();
  await site.start();
  await page.getByRole("alert").getByText("No connection").waitFor({ state: "detached" });
});

test("of many cameras the one that needs a look stands first, and all are shown when asked for", async () => {
  await using site = await openSite();
  const serials = Array.from({ length: 13 }, (_, n) => String(2001008801 + n));
  await site.addCameras(...serials);
  await site.start();
  const silent = serials.at(-1) ?? "";
  for (const [n, serial] of serials.slice(0, -1).entries()) {
    await sendReading(site, serial, `10${String(n).padStart(2, "0")}BCD`);
  }
  await site.until((health) => health["total_readings"] === 0);
  await using view = await openAs(site, "viewer", { width: 360 });
  const table = view.page.getByRole("table", { name: "Cameras" });
  await table.waitFor();
  const shown = async () => table.locator("tbody th").allTextContents();
  expect((await shown()).map((text) => text.trim())).toEqual([silent, ...serials.slice(0, 9)]);
  await view.page.getByRole("button", { name: "Show all 13" }).click();
  expect(await shown()).toHaveLength(13);
  await view.page.getByRole("button", { name: "Show fewer" }).click();
  expect(await shown()).toHaveLength(10);
});

test("a database that is away is told apart from a service that is, with what waits in the spool", async () => {
  await using server = await startPostgres();
  await server.createDatabase("town");
  await using site = await openSite({ DATABASE_URL: server.url("town") });
  const { exitCode } = await site.run("camera", "add", "2001008851", "--reader", "R-1", "--municipality", "Vila");
  expect(exitCode).toBe(0);
  await site.start();
  await using view = await openAs(site, "viewer");
  const { page } = view;
  await page.getByText("postgres").first().waitFor();
  await server.stop("fast");
  await sendReading(site, "2001008851", "1234BCD");
  await page.reload();
  await page.getByRole("alert").getByText("1 reading waits in the spool of this machine").waitFor();
  await server.start();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor({ timeout: 45_000 });
  await page.getByRole("alert").waitFor({ state: "detached" });
});

test("a full disk while the database is away is said: the cameras keep theirs", async () => {
  await using server = await startPostgres();
  await server.createDatabase("town");
  await using site = await openSite({ DATABASE_URL: server.url("town"), DISK_MIN_FREE_BYTES: "1024GiB" });
  await site.start();
  await using view = await openAs(site, "viewer", { language: "es-ES" });
  const { page } = view;
  await page.getByText("El disco está lleno").waitFor();
  await server.stop("fast");
  await page.reload();
  await page.getByRole("alert").getByText("el disco de esta máquina está lleno").waitFor();
});

test("what waits in the spool for a bucket that is away is said, with how many", async () => {
  await using site = await openSite({
    IMAGES_URL: "s3://pictures",
    IMAGES_S3_ENDPOINT: "http://127.0.0.1:9",
    IMAGES_S3_ACCESS_KEY_ID: "key",
    IMAGES_S3_SECRET_ACCESS_KEY: "secret",
  });
  await site.addCameras("2001008851");
  await site.start();
  await sendReading(site, "2001008851", "1234BCD");
  await using view = await openAs(site, "viewer", { language: "ca-ES" });
  await view.page.getByText("1 lectura espera al disc d’aquesta màquina").waitFor();
});
