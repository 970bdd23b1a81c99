import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** What stands inside a sentence or in a column of words, with the places of its values. */
export const PHRASES: Readonly<Record<string, Translation>> = {
  "camera {@1}": said("càmera {@1}", "cámara {@1}"),
  "municipality {@1}": said("municipi {@1}", "municipio {@1}"),
  "endpoint {@1}": said("endpoint {@1}", "endpoint {@1}"),
  "certificate {@1}": said("certificat {@1}", "certificado {@1}"),
  "the rotation of {@1}": said("la renovació de {@1}", "la renovación de {@1}"),
  "{#1} waiting messages": said("{#1} missatges en espera", "{#1} mensajes en espera"),
  "and {#1} more": said("i {#1} més", "y {#1} más"),
  "no certificate in it": said("no hi ha cap certificat", "no hay ningún certificado"),
  "it is not a JPEG": said("no és un JPEG", "no es un JPEG"),
  environment: said("entorn", "entorno"),
  "a whole number from {1} to {2}": said("un nombre enter de {1} a {2}", "un número entero de {1} a {2}"),
  "a whole number of {1} from {2} to {3}": said(
    "un nombre enter de {2} a {3} ({1})",
    "un número entero de {2} a {3} ({1})",
  ),
  "a number of seconds from {1} to {2}, such as 30 or 2.5": said(
    "un nombre de segons de {1} a {2}, com 30 o 2.5",
    "un número de segundos de {1} a {2}, como 30 o 2.5",
  ),
  "a size from {1} to {2}, in bytes or with KiB, MiB or GiB, such as 8MiB": said(
    "una mida de {1} a {2}, en bytes o amb KiB, MiB o GiB, com 8MiB",
    "un tamaño de {1} a {2}, en bytes o con KiB, MiB o GiB, como 8MiB",
  ),
  "true or false (also yes/no, on/off, 1/0)": said(
    "true o false (també yes/no, on/off, 1/0)",
    "true o false (también yes/no, on/off, 1/0)",
  ),
  "one of {1}": said("un de {1}", "uno de {1}"),
  "the path of a folder": said("el camí d'una carpeta", "la ruta de una carpeta"),
  "the path of a file": said("el camí d'un fitxer", "la ruta de un fichero"),
  "an IPv4 or IPv6 address of this machine, or localhost": said(
    "una adreça IPv4 o IPv6 d'aquesta màquina, o localhost",
    "una dirección IPv4 o IPv6 de esta máquina, o localhost",
  ),
  "the name of a time zone, such as Europe/Madrid or UTC": said(
    "el nom d'una zona horària, com Europe/Madrid o UTC",
    "el nombre de una zona horaria, como Europe/Madrid o UTC",
  ),
  "a zone name such as Europe/Madrid or UTC": said(
    "el nom d'una zona horària, com Europe/Madrid o UTC",
    "el nombre de una zona horaria, como Europe/Madrid o UTC",
  ),
  "1 to {1} characters without line breaks": said(
    "d'1 a {1} caràcters sense salts de línia",
    "de 1 a {1} caracteres sin saltos de línea",
  ),
  "1 to 16 characters without blanks, as the police gave it": said(
    "d'1 a 16 caràcters sense espais, tal com l'ha donat la policia",
    "de 1 a 16 caracteres sin espacios, tal como lo dio la policía",
  ),
  "UTM 31N metres with exactly two decimals and at most 8 digits before them, as 431234.50": said(
    "metres UTM 31N amb dos decimals exactes i com a molt 8 xifres abans, com 431234.50",
    "metros UTM 31N con dos decimales exactos y como mucho 8 cifras antes, como 431234.50",
  ),
  'so long ago as 45min, 12h or 7d, or a time as 2026-01-23 or "2026-01-23 10:30"': said(
    'fa quant, com 45min, 12h o 7d, o una data com 2026-01-23 o "2026-01-23 10:30"',
    'hace cuánto, como 45min, 12h o 7d, o una fecha como 2026-01-23 o "2026-01-23 10:30"',
  ),
  "{#1} reading": said("{#1} lectura", "{#1} lectura"),
  "{#1} readings": said("{#1} lectures", "{#1} lecturas"),
  "{#1} stored reading": said("{#1} lectura desada", "{#1} lectura guardada"),
  "{#1} stored readings": said("{#1} lectures desades", "{#1} lecturas guardadas"),
  "{#1} waiting reading": said("{#1} lectura en espera", "{#1} lectura en espera"),
  "{#1} waiting readings": said("{#1} lectures en espera", "{#1} lecturas en espera"),
  "{#1} image": said("{#1} imatge", "{#1} imagen"),
  "{#1} images": said("{#1} imatges", "{#1} imágenes"),
  "{#1} message": said("{#1} missatge", "{#1} mensaje"),
  "{#1} messages": said("{#1} missatges", "{#1} mensajes"),
  "{#1} held message": said("{#1} missatge retingut", "{#1} mensaje retenido"),
  "{#1} held messages": said("{#1} missatges retinguts", "{#1} mensajes retenidos"),
  "{#1} record": said("{#1} registre", "{#1} registro"),
  "{#1} records": said("{#1} registres", "{#1} registros"),
  "{#1} camera": said("{#1} càmera", "{#1} cámara"),
  "{#1} cameras": said("{#1} càmeres", "{#1} cámaras"),
  "{1} ago": said("fa {1}", "hace {1}"),
  "paused: {1}": said("en pausa: {1}", "en pausa: {1}"),
  "over ({1})": said("acabat ({1})", "acabado ({1})"),
  "erase {~1}": said("esborrar {~1}", "borrar {~1}"),
  "erase {~1} unsent, with images": said(
    "esborrar {~1} sense enviar, amb les imatges",
    "borrar {~1} sin enviar, con sus imágenes",
  ),
  "remove camera {1} and erase {~2} and {~3}, unsent": said(
    "treure la càmera {1} i esborrar sense enviar {~2} i {~3}",
    "quitar la cámara {1} y borrar sin enviar {~2} y {~3}",
  ),
  "remove camera {1}": said("treure la càmera {1}", "quitar la cámara {1}"),
  "remove municipality {1}": said("treure el municipi {1}", "quitar el municipio {1}"),
  "remove endpoint {1} ({2})": said("treure l'endpoint {1} ({2})", "quitar el endpoint {1} ({2})"),
  "deliver one reading of camera {1} to {2}": said(
    "lliurar una lectura de la càmera {1} a {2}",
    "entregar una lectura de la cámara {1} a {2}",
  ),
  "restart {1}": said("reiniciar {1}", "reiniciar {1}"),
  "add {~1}": said("afegir {~1}", "añadir {~1}"),
  "change {~1}": said("canviar {~1}", "cambiar {~1}"),
  "remove {~1}": said("treure {~1}", "quitar {~1}"),
  "{1} until {2} ({3})": said("{1} fins al {2} ({3})", "{1} hasta el {2} ({3})"),
};
