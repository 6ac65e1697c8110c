// L'API vue du navigateur. Le jeton n'est gardé que dans cette page : la fermer, c'est se déconnecter.

const PATIENCE = 8000; // millisecondes

let jeton = "";

export class Refus extends Error {
  constructor(statut, texte) {
    super(texte);
    this.statut = statut;
  }
}

export async function connecter(identifiant, motDePasse) {
  const formulaire = new URLSearchParams({ identifiant, mot_de_passe: motDePasse });
  jeton = (await demander("POST", "/api/connexion", formulaire)).jeton;
}

export function deconnecter() {
  jeton = "";
}

export const lire = (adresse) => demander("GET", adresse);
export const ajouter = (adresse, objet) => demander("POST", adresse, JSON.stringify(objet));
export const supprimer = (adresse) => demander("DELETE", adresse);

async function demander(method, adresse, body) {
  const headers = {};
  if (jeton) headers.Authorization = `Bearer ${jeton}`;
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  let reponse;
  try {
    reponse = await fetch(adresse, { method, body, headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Refus(0, "Données indisponibles. L'application est injoignable.");
  }
  if (reponse.status === 204) return null;
  // Une réponse qui n'est pas du JSON vient d'ailleurs (serveur en panne devant l'application).
  const contenu = await reponse.json().catch(() => null);
  if (!reponse.ok || contenu === null) {
    const champs = Object.values(contenu?.champs ?? {}).flat().join(" ");
    throw new Refus(reponse.status, champs || contenu?.erreur || "Données indisponibles. Réessayez plus tard.");
  }
  return contenu;
}
