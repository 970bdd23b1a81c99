import type { Texts } from "../texts.ts";
import { days, of } from "./words.ts";

export const certificates: Pick<Texts, "certificates"> = {
  certificates: {
    title: "Certificats",
    municipality: "Municipi",
    subject: "Emès a",
    ends: "Vàlid fins al",
    left: "Queden",
    days,
    over: "caducat",
    none: "No hi ha cap certificat en ús.",
    import: "Importa un certificat",
    drop: "Deixeu anar aquí el fitxer .pfx o .p12",
    choose: "Tria un fitxer",
    chosen: (name) => `Fitxer: ${name}`,
    password: "Contrasenya del fitxer",
    forMunicipality: "Per al municipi",
    submit: "Importa",
    done: (municipality) => `El certificat ${of(municipality)} ja està en ús. S’envia el que l’esperava.`,
    staged: (municipality) => `El certificat ${of(municipality)} queda a punt: s’usarà sol quan comenci a ser vàlid.`,
    notPfx: "No és un fitxer PFX: el seu nom acaba en .pfx o .p12.",
    tooLarge: "El fitxer passa d’1 MB: no és un fitxer PFX.",
  },
};
