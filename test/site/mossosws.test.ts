import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { parseMossosWs } from "../../src/mossosws.ts";

const OLDER = {
  PortReceiveTransit: 33334,
  CertPath: "C:\\Program Files\\MossosWS\\certs\\vic.pfx",
  Password: "molt-secret",
  Endpoint: "https://police.example/matr-ws/",
  Camaras: [{ SerialNumber: 2001008851, CodigoLector: "00012" }],
};

test("takes port, address, certificate's name and cameras, and nothing of the password", () => {
  const taken = parseMossosWs(`\uFEFF${JSON.stringify(OLDER)}`, "Configuration.json");
  expect(taken).toEqual({
    transitPort: 33334,
    pfxName: "vic.pfx",
    endpointUrl: "https://police.example/matr-ws/",
    cameras: [{ serial: "2001008851", reader: "00012" }],
  });
});

test.each([
  ['{"Password": "molt-secret", oops', "it is not JSON"],
  [JSON.stringify([OLDER]), "it is not an object"],
  [JSON.stringify({ ...OLDER, Camaras: null }), "Camaras is not a list"],
  [JSON.stringify({ ...OLDER, Camaras: [{ CodigoLector: "1" }] }), "Camaras[0] has no SerialNumber"],
  [JSON.stringify({ ...OLDER, Camaras: [{ SerialNumber: "1" }] }), "Camaras[0] has no CodigoLector"],
])("what is missing is named, and the password is in no error (%#)", (text, problem) => {
  let told = "";
  try {
    parseMossosWs(text, "Configuration.json");
  } catch (error) {
    told = error instanceof AppError ? `${error.message} ${error.hint} ${error.stack}` : String(error);
  }
  expect(told).toContain(problem);
  expect(told).not.toContain("molt-secret");
});
