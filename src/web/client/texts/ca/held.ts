import type { Texts } from "../texts.ts";
import { messages } from "./words.ts";

export const held: Pick<Texts, "held"> = {
  held: {
    title: "Quarantena",
    unregistered: "Càmeres sense donar d’alta",
    unregisteredHelp: "Es guarda el que van enviar. Quan es dona d’alta la càmera, es lliura.",
    malformed: "Missatges que no s’han pogut entendre",
    malformedHelp:
      "Reviseu quins camps envia la càmera. Després, el que s’ha retingut es pot tornar a prendre o esborrar.",
    readerCode: "Codi de lector",
    readerHelp: "codiLector, el dona la policia, 16 caràcters com a màxim",
    description: "Descripció (com vulgueu)",
    empty: "No hi ha res retingut.",
    reason: "Què passa",
    from: "Des de",
    received: "Rebut",
    size: "Mida",
    again: "Torna a prendre",
    drop: "Esborra",
    waiting: (count) => `${messages(count)} ${count === 1 ? "retingut" : "retinguts"}`,
    allFields: (serial) => `Indica també coordenades, un altre servei o zona horària per a ${serial}`,
    registered: (serial) => `La càmera ${serial} està donada d’alta. El que s’ha retingut s’està prenent.`,
    results: (results) => `Fet: ${results}.`,
    dropSure: (count) => `Voleu esborrar ${messages(count)}? No es pot desfer.`,
    dropped: (count) => `${messages(count)} ${count === 1 ? "esborrat" : "esborrats"}.`,
    outcomes: {
      queued: "a la cua",
      duplicate: "ja coneguda",
      inactive: "càmera desactivada",
      unregistered: "càmera sense donar d’alta",
      "not-read": "sense matrícula",
      quarantined: "continua sense entendre’s",
      malformed: "continua sense entendre’s",
      gone: "contingut no guardat",
    },
  },
};
