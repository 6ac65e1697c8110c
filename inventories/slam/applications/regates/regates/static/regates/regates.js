// Ce que les deux pages ont en commun : connexion, liste des régates, inscription.

import { Refus, ajouter, connecter, deconnecter, lire, supprimer } from "./api.js";

export const element = (id) => document.getElementById(id);

let regates = [];

// Faire ce qui est demandé, bouton éteint ; dire ce qui ne va pas.
export async function essayer(bouton, action) {
  element("alerte").hidden = true;
  element("message").hidden = true;
  bouton.disabled = true;
  try {
    await action();
  } catch (erreur) {
    if (!(erreur instanceof Refus)) console.error(erreur);
    if (erreur.statut === 401 && !element("espace").hidden) fermer();
    alerter(erreur instanceof Refus ? erreur.message : "Erreur de la page.");
  } finally {
    bouton.disabled = false;
  }
}

// Faire une action quand le formulaire est envoyé ; elle reçoit ses champs.
export function quandEnvoye(formulaire, action) {
  formulaire.addEventListener("submit", (evenement) => {
    evenement.preventDefault();
    const champs = Object.fromEntries(new FormData(formulaire));
    const bouton = formulaire.querySelector("button");
    essayer(bouton, () => action(champs, formulaire));
  });
}

export function annoncer(texte) {
  element("message").textContent = texte;
  element("message").hidden = false;
}

function alerter(texte) {
  element("alerte").textContent = texte;
  element("alerte").hidden = false;
}

// Demander les régates et leurs inscrits. La liste est vidée d'abord : rien d'ancien ne reste si l'on n'a pas de réponse.
export async function charger() {
  regates = [];
  montrer([]);
  element("aucune").hidden = true;
  const [listees, inscriptions] = await Promise.all([lire("/api/regates"), lire("/api/inscriptions")]);
  regates = listees.sort((a, b) => String(a.jour).localeCompare(String(b.jour)));
  montrer(inscriptions);
  element("aucune").hidden = regates.length > 0;
}

function montrer(inscriptions) {
  element("regates").replaceChildren(...regates.map((regate) => ligne(regate, inscriptions)));
  element("regate").replaceChildren(...regates.map((regate) => new Option(`${regate.nom} (${regate.date})`, regate.id)));
}

function ligne(regate, inscriptions) {
  const inscrits = inscriptions.filter((inscription) => inscription.regate === String(regate.id));
  const noms = inscrits.map((inscription) => inscription.skipper).join(", ");
  const li = document.createElement("li");
  li.append(
    morceau("strong", regate.nom),
    morceau("span", `${regate.lieu}, ${regate.date}`),
    morceau("small", inscrits.length ? `${inscrits.length} inscrit${inscrits.length > 1 ? "s" : ""} : ${noms}` : "Aucun inscrit"),
  );
  if (!inscrits.length) li.append(boutonSupprimer(regate));
  return li;
}

function boutonSupprimer(regate) {
  const bouton = morceau("button", "Supprimer");
  bouton.type = "button";
  bouton.className = "discret";
  bouton.setAttribute("aria-label", `Supprimer ${regate.nom}`);
  bouton.addEventListener("click", () => essayer(bouton, async () => {
    if (!confirm(`Supprimer la régate « ${regate.nom} » ?`)) return;
    await supprimer(`/api/regates/${encodeURIComponent(regate.id)}`);
    await charger();
    annoncer("Régate supprimée.");
  }));
  return bouton;
}

// textContent : ce que contient une donnée est du texte, jamais du HTML.
function morceau(nom, texte) {
  const nouveau = document.createElement(nom);
  nouveau.textContent = texte;
  return nouveau;
}

function ouvrir() {
  element("connexion").hidden = true;
  element("espace").hidden = false;
  element("deconnexion").hidden = false;
}

function fermer() {
  deconnecter();
  regates = [];
  montrer([]);
  element("connexion").hidden = false;
  element("espace").hidden = true;
  element("deconnexion").hidden = true;
  element("licence").replaceChildren(new Option("Cherchez d'abord le licencié", ""));
  element("recherche").reset();
  element("derniere").textContent = "";
  element("identifiant").focus();
}

async function direDerniereConnexion() {
  // La première de la liste est celle d'à présent.
  const precedente = (await lire("/api/connexions"))[1];
  if (!precedente) return;
  const instant = new Date(precedente.instant).toLocaleString("fr-FR", { dateStyle: "long", timeStyle: "short" });
  element("derniere").textContent = `Connexion précédente de ce compte : ${instant}${precedente.acceptee ? "" : " (refusée)"}.`;
}

export function demarrer() {
  quandEnvoye(element("connexion"), async ({ identifiant, mot_de_passe: motDePasse }, formulaire) => {
    element("mot_de_passe").value = "";
    await connecter(identifiant.trim(), motDePasse);
    formulaire.reset();
    ouvrir();
    await charger();
    await direDerniereConnexion();
  });
  element("connexion").querySelector("button").disabled = false;
  element("deconnexion").addEventListener("click", () => {
    element("alerte").hidden = true;
    element("message").hidden = true;
    fermer();
  });
  element("actualiser").addEventListener("click", (evenement) => essayer(evenement.target, charger));
  quandEnvoye(element("recherche"), async ({ cherche }) => {
    element("licence").replaceChildren();
    const licences = await lire(`/api/licences?cherche=${encodeURIComponent(cherche.trim())}`);
    const choix = licences.map((licence) => {
      const option = new Option(`${licence.nom} (${licence.club}), n° ${licence.id}`, licence.id);
      option.dataset.nom = licence.nom;
      return option;
    });
    element("licence").replaceChildren(...(choix.length ? choix : [new Option("Aucune licence à ce nom", "")]));
  });
  quandEnvoye(element("inscription"), async ({ regate, licence }) => {
    const skipper = element("licence").selectedOptions[0].dataset.nom;
    await ajouter("/api/inscriptions", { regate, licence, skipper });
    await charger();
    annoncer(`${skipper} est inscrit(e).`);
  });
}
