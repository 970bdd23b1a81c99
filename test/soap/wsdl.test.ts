import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtinContract, parseWsdl } from "../../src/soap/wsdl.ts";

const bytes = readFileSync(join(import.meta.dir, "../fixtures/matricules.wsdl"));
const wsdl = bytes.toString("utf8");

/** The WSDL with one thing changed; a change that changes nothing would prove nothing. */
function changed(from: string | RegExp, to: string, source = wsdl): string {
  const result = source.replace(from, to);
  if (result === source) throw new Error(`the fixture has no ${from}`);
  return result;
}

const element = (xml: string, name: string) => parseWsdl(xml).elements.find((e) => e.name === name);

describe("reading a contract", () => {
  test("the reconstructed WSDL says what is built in", () => {
    expect(parseWsdl(bytes)).toEqual(builtinContract);
  });

  test("prefixes mean nothing", () => {
    const renamed = wsdl
      .replaceAll("wsdl:", "w:")
      .replaceAll("xmlns:wsdl", "xmlns:w")
      .replaceAll("<xs:", "<")
      .replaceAll("</xs:", "</")
      .replaceAll('"xs:', '"')
      .replaceAll("xmlns:xs=", "xmlns=")
      .replaceAll("soap:", "s:")
      .replaceAll("xmlns:soap", "xmlns:s")
      .replaceAll("tns", "q");
    expect(parseWsdl(renamed)).toEqual(builtinContract);
  });

  test("namespace, qualification, order and SOAPAction are the WSDL's", () => {
    let xml = wsdl.replaceAll("http://dgp.gencat.cat/matricules", "urn:other").replace('"qualified"', '"unqualified"');
    xml = changed('soapAction=""', 'soapAction="urn:matricula"', xml);
    xml = changed(
      '<xs:element name="marca"',
      '<xs:element name="pais"',
      changed('<xs:element name="pais"', '<xs:element name="marca"', xml),
    );
    const contract = parseWsdl(xml);
    expect(contract).toMatchObject({ targetNamespace: "urn:other", qualified: false, soapAction: "urn:matricula" });
    expect(contract.elements.map((e) => e.name).slice(-5)).toEqual(["pais", "model", "color", "tipusVehicle", "marca"]);
  });

  test("an absent elementFormDefault means unqualified", () => {
    expect(parseWsdl(changed(' elementFormDefault="qualified"', "")).qualified).toBe(false);
  });

  test("a SOAP 1.2 binding before the SOAP 1.1 one is passed over", () => {
    const twelve = `<wsdl:binding name="B12" type="tns:Matricules" xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/"><s12:binding style="document"/>
      <wsdl:operation name="matricula"><s12:operation soapAction="urn:twelve"/></wsdl:operation></wsdl:binding>`;
    expect(parseWsdl(changed("<wsdl:binding ", `${twelve}<wsdl:binding `)).soapAction).toBe("");
    const only = wsdl.replaceAll("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/");
    expect(() => parseWsdl(only)).toThrow("no SOAP 1.1 binding");
  });

  test("facets come from inline types, from named ones and from what they are derived of", () => {
    const inline =
      '<xs:element name="marca" minOccurs="0"><xs:simpleType><xs:restriction base="tns:matriculaType"><xs:maxLength value="4"/><xs:pattern value="[A-Z]+"/><xs:pattern value="\\d+"/></xs:restriction></xs:simpleType></xs:element>';
    const marca = element(changed('<xs:element name="marca" type="xs:string" minOccurs="0"/>', inline), "marca");
    expect(marca).toMatchObject({ required: false, minLength: 1, maxLength: 4 });
    expect(["ABC", "12", "A1", ""].map((v) => marca?.pattern?.test(v))).toEqual([true, true, false, false]);
  });

  test("a pattern of a type holds together with the pattern of its base", () => {
    const derived =
      '<xs:simpleType name="curt"><xs:restriction base="tns:coordenadaType"><xs:pattern value="4.*"/></xs:restriction></xs:simpleType><xs:element name="matriculaRequest">';
    const xml = changed('<xs:element name="matriculaRequest">', derived).replace(
      'name="coordenadaX" type="tns:coordenadaType"',
      'name="coordenadaX" type="tns:curt"',
    );
    const pattern = element(xml, "coordenadaX")?.pattern;
    expect(["430124.45", "530124.45", "4x"].map((v) => pattern?.test(v))).toEqual([true, false, false]);
  });

  test.each([
    ["xs:date", "dataLectura", "tns:dataType", ["2026-01-23", "2026-01-23Z"], ["23-01-2026"]],
    ["xs:time", "horaLectura", "tns:horaType", ["09:25:57", "09:25:57.1+01:00"], ["9:25"]],
    ["xs:decimal", "coordenadaX", "tns:coordenadaType", ["430124.45", "-1"], ["1,5", ""]],
    ["xs:int", "coordenadaX", "tns:coordenadaType", ["430124"], ["430124.45"]],
  ])("the built-in type %s is understood", (type, name, was, good, bad) => {
    const pattern = element(changed(`name="${name}" type="${was}"`, `name="${name}" type="${type}"`), name)?.pattern;
    expect(good.map((v) => pattern?.test(v))).toEqual(good.map(() => true));
    expect(bad.map((v) => pattern?.test(v))).toEqual(bad.map(() => false));
  });

  test("an enumeration allows its values only", () => {
    const inline =
      '<xs:element name="color" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="A+"/><xs:enumeration value="B"/></xs:restriction></xs:simpleType></xs:element>';
    const pattern = element(
      changed('<xs:element name="color" type="xs:string" minOccurs="0"/>', inline),
      "color",
    )?.pattern;
    expect(["A+", "B", "AA", "A"].map((v) => pattern?.test(v))).toEqual([true, true, false, false]);
  });

  test("a pattern that cannot be expressed is left to the far side", () => {
    expect(element(changed("\\d{1,8}\\.\\d{2}", "[a-z-[aeiou]]+\\p{IsGreek}"), "coordenadaX")?.pattern).toBeNull();
  });

  test("a named complex type, an element by reference and a sequence in the sequence are followed", () => {
    let xml = changed(
      '<xs:element name="matriculaRequest">\n        <xs:complexType>',
      '<xs:element name="matriculaRequest" type="tns:peticio"/><xs:element name="marca" type="xs:string"/><xs:complexType name="peticio">',
    );
    xml = changed("</xs:complexType>\n      </xs:element>", "</xs:complexType>", xml);
    xml = changed(
      '<xs:element name="marca" type="xs:string" minOccurs="0"/>',
      '<xs:sequence minOccurs="0"><xs:element ref="tns:marca"/></xs:sequence>',
      xml,
    );
    expect(parseWsdl(xml)).toEqual(builtinContract);
  });

  test("an element that may not occur is not there, and what is optional and unknown harms nobody", () => {
    const xml = changed(
      '<xs:element name="pais" type="xs:string" minOccurs="0"/>',
      '<xs:element name="pais" type="xs:string" maxOccurs="0" minOccurs="0"/><xs:element name="novetat" type="xs:string" minOccurs="0"/><xs:any minOccurs="0"/>',
    );
    expect(
      parseWsdl(xml)
        .elements.map((e) => e.name)
        .slice(-2),
    ).toEqual(["tipusVehicle", "novetat"]);
  });
});

describe("a WSDL that cannot be used is refused by name", () => {
  const cases: readonly [string, string, string][] = [
    ["not XML", "<html><body>404", "not well-formed"],
    ["a web page", "<html><body/></html>", "the root is html"],
    ["empty", "", "not well-formed"],
    ["a DOCTYPE", `<!DOCTYPE x [<!ENTITY a "b">]>${wsdl.replace(/<\?xml.*\?>/, "")}`, "a DOCTYPE is not allowed"],
    [
      "another operation",
      wsdl.replaceAll('operation name="matricula"', 'operation name="consulta"'),
      "no operation matricula in its SOAP 1.1 bindings (there: consulta)",
    ],
    ["no schema", changed(/<xs:schema[\s\S]*<\/xs:schema>/, ""), "no schema in its types"],
    [
      "no request element",
      changed('<xs:element name="matriculaRequest">', '<xs:element name="x">'),
      "no element matriculaRequest",
    ],
    [
      "no message",
      changed('<wsdl:message name="matriculaRequest">', '<wsdl:message name="x">'),
      "no message matriculaRequest",
    ],
    ["no portType", changed('<wsdl:portType name="Matricules">', '<wsdl:portType name="x">'), "no portType Matricules"],
    [
      "no plate and no reader",
      changed(/<xs:element name="codiLector"[^>]*>\s*<xs:element name="matricula"[^>]*>/, ""),
      "the request has no codiLector, matricula",
    ],
    [
      "what cannot be filled",
      changed(
        '<xs:element name="marca"',
        '<xs:element name="velocitat" type="xs:int"/><xs:element name="carril" type="xs:int"/><xs:element name="marca"',
      ),
      "cannot fill what the request requires: velocitat, carril",
    ],
    [
      "a schema elsewhere",
      changed("<xs:simpleType", '<xs:include schemaLocation="tipus.xsd"/><xs:simpleType'),
      "takes in another document (include tipus.xsd)",
    ],
    [
      "an imported schema",
      changed("<xs:simpleType", '<xs:import namespace="urn:x" schemaLocation="http://x/t.xsd"/><xs:simpleType'),
      "import http://x/t.xsd",
    ],
    [
      "an imported WSDL",
      changed("<wsdl:types>", '<wsdl:import namespace="urn:x" location="altra.wsdl"/><wsdl:types>'),
      "import altra.wsdl",
    ],
    ["a choice", wsdl.replaceAll("xs:sequence", "xs:choice"), "the content of matriculaRequest is choice"],
    ["a required any", changed('<xs:element name="marca"', '<xs:any/><xs:element name="marca"'), "a required any"],
    ["a type that is nowhere", changed('type="tns:dataType"', 'type="tns:res"'), "no simple type tns:res"],
    [
      "a type of itself",
      changed(/(name="dataType"><xs:restriction base=")xs:string/, "$1tns:dataType"),
      "derived in a loop",
    ],
    [
      "a date in another form",
      changed('type="tns:dataType"', 'type="xs:dateTime"'),
      "dataLectura has a form that tattile does not write",
    ],
    ["rpc", changed('style="document"', 'style="rpc"'), "style rpc"],
    ["encoded", changed('use="literal"', 'use="encoded"'), "is encoded"],
    ["mixed qualification", changed('name="marca"', 'name="marca" form="unqualified"'), "some are not"],
    [
      "a namespace that needs escaping",
      wsdl.replaceAll("http://dgp.gencat.cat/matricules", "urn:a&amp;b"),
      'the namespace "urn:a&b" is not allowed',
    ],
    [
      "a required attribute",
      changed("</xs:sequence>", '</xs:sequence><xs:attribute name="versio" use="required"/>'),
      "requires the attribute versio",
    ],
  ];
  test.each(cases)("%s", (_what, xml, message) => {
    expect(() => parseWsdl(xml)).toThrow(message);
  });
});
