import type { Texts } from "../texts.ts";
import { days } from "./words.ts";

export const certificates: Pick<Texts, "certificates"> = {
  certificates: {
    title: "Certificados",
    municipality: "Municipio",
    subject: "Emitido a",
    ends: "Válido hasta",
    left: "Quedan",
    days,
    over: "caducado",
    none: "No hay ningún certificado en uso.",
    import: "Importar un certificado",
    drop: "Suelte aquí el archivo .pfx o .p12",
    choose: "Elegir un archivo",
    chosen: (name) => `Archivo: ${name}`,
    password: "Contraseña del archivo",
    forMunicipality: "Para el municipio",
    submit: "Importar",
    done: (municipality) => `El certificado de ${municipality} ya está en uso. Se envía lo que lo esperaba.`,
    staged: (municipality) =>
      `El certificado de ${municipality} queda preparado: se usará solo cuando empiece a ser válido.`,
    notPfx: "No es un archivo PFX: su nombre acaba en .pfx o .p12.",
    tooLarge: "El archivo pasa de 1 MB: no es un archivo PFX.",
  },
};
