import { describe, expect, test } from "bun:test";
import { parseResponse } from "../../src/soap/response.ts";

const SUCCESS = ["1", "0000", "OK", "1.0"];
const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const soap = (body: string): string => `<s:Envelope xmlns:s="${SOAP}"><s:Header/><s:Body>${body}</s:Body></s:Envelope>`;
const coded = (code: string): string =>
  soap(
    `<n:matriculaResponse xmlns:n="http://dgp.gencat.cat/matricules"><n:codiRetorn>${code}</n:codiRetorn></n:matriculaResponse>`,
  );
const fault = (code: string, text: string, detail = ""): string =>
  soap(
    `<s:Fault><faultcode xmlns:wsse="urn:wsse">${code}</faultcode><faultstring xml:lang="en">${text}</faultstring>${detail}</s:Fault>`,
  );
const judge = (
  status: number,
  body: string | Uint8Array,
  secrets: readonly string[] = [],
  contentType: string | null = "text/xml",
) =>
  parseResponse({ status, body: typeof body === "string" ? Buffer.from(body) : body, contentType }, SUCCESS, secrets);

describe("a code", () => {
  test.each(SUCCESS)("%s is success", (code) => {
    expect(judge(200, coded(code))).toEqual({ kind: "accepted", returnCode: code });
  });

  test("is read anew in every answer, however alike to the last one", () => {
    const bytes = Buffer.from(coded("1"));
    const judged = () => judge(200, bytes).kind;
    expect([judged(), judged()]).toEqual(["accepted", "accepted"]);
    // The client may use the same memory again.
    bytes.write("7", bytes.indexOf(">1<") + 1);
    expect([judged(), judge(200, coded("1")).kind, judge(500, coded("1")).kind]).toEqual([
      "rejected",
      "accepted",
      "unanswered",
    ]);
    const accented = Buffer.from(coded("\u00c3\u00a9"), "latin1");
    const inCharset = (charset: string) => judge(200, accented, [], `text/xml; charset=${charset}`);
    expect(inCharset("utf-8")).toMatchObject({ kind: "rejected", returnCode: "\u00e9" });
    expect(inCharset("iso-8859-1")).toMatchObject({ kind: "rejected", returnCode: "\u00c3\u00a9" });
  });

  test.each([
    ["blanks around it", coded("\n  1\t ")],
    ["CDATA", coded("<![CDATA[1]]>")],
    ["a prolog and a BOM", `\uFEFF<?xml version="1.0" encoding="UTF-8"?>${coded("1")}`],
    [
      "other prefixes",
      `<Envelope xmlns="${SOAP}"><Body><matriculaResponse xmlns=""><codiRetorn>1</codiRetorn></matriculaResponse></Body></Envelope>`,
    ],
    ["a comment in it", coded("<!-- c -->1")],
  ])("is understood with %s", (_what, xml) => {
    expect(judge(200, xml)).toEqual({ kind: "accepted", returnCode: "1" });
  });

  test("is understood in UTF-16 and in a declared ISO-8859-1", () => {
    expect(judge(200, Buffer.from(`\uFEFF${coded("1")}`, "utf16le"))).toMatchObject({ kind: "accepted" });
    const latin = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${coded("refusat: matrícula")}`, "latin1");
    expect(judge(200, latin)).toMatchObject({ kind: "rejected", detail: "codiRetorn=refusat: matrícula" });
  });

  test.each(["2", "00", "0001", "01", "1.00", "ok", "-1", "ERROR", "1 1", "true"])(
    "%s is a refusal of this reading",
    (code) => {
      expect(judge(200, coded(code))).toEqual({ kind: "rejected", returnCode: code, detail: `codiRetorn=${code}` });
    },
  );

  test("0 is the service's trouble, even if the settings call it success", () => {
    expect(judge(200, coded("0"))).toMatchObject({
      kind: "unanswered",
      detail: "codiRetorn=0, service not operational",
    });
    const answer = { status: 200, body: Buffer.from(coded("0")), contentType: null };
    expect(parseResponse(answer, ["0", "1"])).toMatchObject({ kind: "unanswered" });
  });
});

describe("what is not understood is never a success, and retried", () => {
  const response = (inner: string): string => soap(`<matriculaResponse>${inner}</matriculaResponse>`);
  const one = "<codiRetorn>1</codiRetorn>";
  test.each([
    ["an empty body", ""],
    ["blanks", "  \n"],
    ["text", "1"],
    ["JSON", '{"codiRetorn":"1"}'],
    ["a web page", "<!DOCTYPE html><html><body>codiRetorn 1</body></html>"],
    ["a well-formed web page", "<html><body><codiRetorn>1</codiRetorn></body></html>"],
    ["bytes", "\u0000\u0001\u0002"],
    ["a cut answer", coded("1").slice(0, -20)],
    ["an answer cut behind the code", coded("1").slice(0, coded("1").indexOf("</n:codiRetorn>"))],
    ["two documents", coded("1") + coded("1")],
    ["an answer without SOAP", `<matriculaResponse>${one}</matriculaResponse>`],
    ["an envelope of another namespace", coded("1").replace(SOAP, "urn:x")],
    ["an envelope without a Body", `<s:Envelope xmlns:s="${SOAP}">${one}</s:Envelope>`],
    [
      "the response in the Header",
      `<s:Envelope xmlns:s="${SOAP}"><s:Header><matriculaResponse>${one}</matriculaResponse></s:Header><s:Body/></s:Envelope>`,
    ],
    ["an empty Body", soap("")],
    ["no code", response("")],
    ["an empty code", response("<codiRetorn/>")],
    ["a code of blanks", response("<codiRetorn>  </codiRetorn>")],
    ["two codes", response(one + one)],
    ["two responses", response(one).replace("</s:Body>", `<matriculaResponse>${one}</matriculaResponse></s:Body>`)],
    ["two Bodies", response(one).replace("</s:Envelope>", `<s:Body/></s:Envelope>`)],
    ["a code outside the response", soap(one)],
    ["a code deeper inside", response(`<x>${one}</x>`)],
    ["a code in an element", response("<codiRetorn><x>1</x></codiRetorn>")],
    ["another case", response("<CodiRetorn>1</CodiRetorn>")],
    ["the request sent back", soap("<matriculaRequest><codiRetorn>1</codiRetorn></matriculaRequest>")],
    ["a novel as code", response(`<codiRetorn>${"x".repeat(41)}</codiRetorn>`)],
    ["an entity for a code", `<!DOCTYPE a [<!ENTITY one "1">]>${response("<codiRetorn>&one;</codiRetorn>")}`],
    ["a commented code", response(`<!-- ${one} -->`)],
  ])("%s", (_what, body) => {
    expect(judge(200, body).kind).toBe("unanswered");
  });

  test.each([201, 202, 204, 206, 500, 502, 503])("a good code with HTTP %d", (status) => {
    expect(judge(status, coded("1")).kind).toBe("unanswered");
    expect(judge(status, coded("99")).kind).toBe("unanswered");
  });

  test("an unknown encoding, and nesting without end", () => {
    expect(judge(200, coded("1"), [], "text/xml; charset=klingon").kind).toBe("unanswered");
    expect(judge(200, soap("<a>".repeat(9000) + "</a>".repeat(9000))).kind).toBe("unanswered");
  });
});

describe("a fault", () => {
  const cvc =
    "<detail><e:ValidationError xmlns:e=\"http://springframework.org/spring-ws\">cvc-maxLength-valid: Value '1234BCD'</e:ValidationError></detail>";
  test.each([
    ["faultstring", fault("s:Client", "Validation error")],
    ["faultstring in another case", fault("s:Client", " VALIDATION ERROR ")],
    ["detail", fault("s:Client", "Bad request", "<detail>Validation error: x</detail>")],
    ["Spring's detail element", fault("s:Client", "Bad request", cvc)],
    ["HTTP 200", fault("s:Client", "Validation error", cvc)],
  ])("of validation (%s) is a refusal of this reading", (what, xml) => {
    expect(judge(what === "HTTP 200" ? 200 : 500, xml)).toMatchObject({
      kind: "rejected",
      returnCode: "Validation error",
    });
  });

  test.each([
    ["wsse:FailedAuthentication", "The security token could not be authenticated or authorized", "certificate"],
    ["wsse:InvalidSecurity", "An error was discovered processing the &lt;wsse:Security&gt; header", "certificate"],
    ["x:InvalidSecurityToken", "An invalid security token was provided", "certificate"],
    ["wsse:SecurityTokenUnavailable", "Referenced security token could not be retrieved", "certificate"],
    ["wsse:UnsupportedSecurityToken", "An unsupported token was provided", "certificate"],
    ["wsse:FailedCheck", "The signature or decryption was invalid", "certificate"],
    ["s:Client", "The signature or decryption was invalid", "certificate"],
    ["s:Server", "No WS-Security header found", "certificate"],
    ["ns1:SecurityError", "A security error was encountered when verifying the message", "certificate"],
    ["wsse:FailedAuthentication", "certificate path validation error", "certificate"],
    ["wsse:UnsupportedAlgorithm", "An unsupported signature or encryption algorithm was used", "endpoint"],
    ["wsse:InvalidSecurity", "Security processing failed (actions mismatch)", "endpoint"],
    ["s:Client", "Security processing failed (actions mismatch)", "endpoint"],
    ["wsse:MessageExpired", "The message has expired", "endpoint"],
    ["s:Client", "The message has expired", "endpoint"],
    ["wsu:MessageExpired", "x", "endpoint"],
  ] as const)("%s: %s is the operator's to mend (%s)", (code, text, scope) => {
    for (const status of [200, 400, 500])
      expect(judge(status, fault(code, text))).toMatchObject({ kind: "misconfigured", scope });
  });

  test("of the clock says to check the clock", () => {
    expect(judge(500, fault("wsse:MessageExpired", "The message has expired"))).toMatchObject({
      detail: "check this machine's clock: SOAP fault MessageExpired: The message has expired",
    });
  });

  test.each([
    ["s:Server", "Internal error"],
    ["s:Client", "Could not open connection to database"],
    ["s:MustUnderstand", "x"],
    ["", ""],
  ])("%s: %s is retried", (code, text) => {
    for (const status of [200, 404, 500]) expect(judge(status, fault(code, text)).kind).toBe("unanswered");
  });

  test("of SOAP 1.2 is understood", () => {
    const twelve = (code: string, text: string): string =>
      `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>w:${code}</e:Value></e:Subcode></e:Code><e:Reason><e:Text>${text}</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>`;
    expect(judge(500, twelve("FailedAuthentication", "x"))).toMatchObject({
      kind: "misconfigured",
      scope: "certificate",
    });
    expect(judge(400, twelve("x", "Validation error")).kind).toBe("rejected");
  });

  test("beside a code counts as the fault", () => {
    const both = coded("1").replace("<s:Body>", "<s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault>");
    expect(judge(200, both).kind).toBe("unanswered");
  });
});

describe("an HTTP status without a fault", () => {
  test.each([301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 415])("%d: the address is wrong", (status) => {
    for (const body of ["", "<html/>", "not found"]) {
      expect(judge(status, body)).toMatchObject({
        kind: "misconfigured",
        scope: "endpoint-or-message",
        detail: expect.stringContaining(`HTTP ${status}`),
      });
    }
  });

  test.each([408, 409, 413, 421, 425, 429, 500, 501, 502, 503, 504, 520, 599])("%d: retried", (status) => {
    for (const body of ["", "<html/>", "busy"]) {
      expect(judge(status, body)).toMatchObject({
        kind: "unanswered",
        detail: expect.stringContaining(`HTTP ${status}`),
      });
    }
  });
});

describe("a detail", () => {
  const detailOf = (xml: string, secrets: readonly string[] = []): string => {
    const outcome = judge(500, xml, secrets);
    return "detail" in outcome ? outcome.detail : "";
  };

  test("never repeats a plate, in whatever case or escaping it comes back", () => {
    const echo = fault(
      "s:Client",
      "Validation error",
      "<detail>Value '1234BCD' '1234bcd' '12&amp;lt;4' '12&lt;4' a&amp;amp;b</detail>",
    );
    const detail = detailOf(echo, ["1234BCD", "12<4", "a&b", "", " "]);
    expect(detail).toBe("SOAP fault Client: Validation error (Value '[…]' '[…]' '[…]' '[…]' […])");
  });

  test("hides a plate before it cuts, and in a code too", () => {
    expect(detailOf(fault("s:Server", `${"x".repeat(170)} 1234BCD`), ["1234BCD"])).not.toContain("1234");
    expect(judge(200, coded("refused 1234BCD"), ["1234bcd"])).toEqual({
      kind: "rejected",
      returnCode: "refused […]",
      detail: "codiRetorn=refused […]",
    });
  });

  test("is one line of at most 200 characters", () => {
    const detail = detailOf(fault("s:Server", `a\n\tb\u2028c ${"\u{1f697}".repeat(300)}`));
    expect(detail.startsWith("HTTP 500, SOAP fault Server: a b c ")).toBe(true);
    expect([...detail]).toHaveLength(200);
    expect(detail).not.toMatch(/[\n\t\u2028]/);
  });

  test("holds nothing of an answer that was not understood", () => {
    for (const body of ["<html>1234BCD</html>", "1234BCD", soap("<x>1234BCD</x>")]) {
      for (const status of [200, 404, 500]) expect(JSON.stringify(judge(status, body))).not.toContain("1234BCD");
    }
  });
});
