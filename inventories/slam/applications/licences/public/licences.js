// Code de la page : il se connecte, interroge l'API de l'application et montre ce qu'elle répond.
'use strict';

// Le jeton n'est gardé que dans la mémoire de la page : la recharger déconnecte.
let jeton = null;

const element = (id) => document.getElementById(id);

// --- L'API ------------------------------------------------------------------------------------------------------

class Refus extends Error {
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}

/** Interroge l'API ; rend ce qu'elle répond, ou lève un Refus dont le message se montre. */
async function demande(methode, chemin, corps = undefined) {
    const entetes = jeton === null ? {} : {Authorization: `Bearer ${jeton}`};
    let reponse;
    try {
        const signal = AbortSignal.timeout(8000);
        reponse = await fetch(chemin, {method: methode, headers: entetes, body: corps, cache: 'no-store', signal});
    } catch {
        throw new Refus(0, 'Les données sont indisponibles : l’application ne répond pas.');
    }
    if (reponse.status === 204) {
        return null;
    }
    const contenu = await reponse.json().catch(() => null);
    if (!reponse.ok || contenu === null) {
        throw new Refus(reponse.status, contenu?.erreur ?? 'Les données sont indisponibles.');
    }
    return contenu;
}

// --- Ce que la page dit -----------------------------------------------------------------------------------------

function dit(id, texte) {
    element(id).textContent = texte;
    element(id).hidden = texte === '';
}

/** Exécute une action d'un formulaire ou d'un bouton : une à la fois, et son échec se voit. */
async function execute(bouton, action) {
    dit('alerte', '');
    dit('annonce', '');
    bouton.disabled = true;
    try {
        await action();
    } catch (erreur) {
        if (erreur instanceof Refus && erreur.code === 401 && jeton !== null) {
            deconnecte();
            dit('alerte', 'La session est finie : connectez-vous à nouveau.');
        } else if (erreur instanceof Refus) {
            dit('alerte', erreur.message);
        } else {
            dit('alerte', 'La page a rencontré une erreur.');
            throw erreur;
        }
    } finally {
        bouton.disabled = false;
    }
}

function surEnvoi(id, action) {
    const formulaire = element(id);
    formulaire.addEventListener('submit', (evenement) => {
        evenement.preventDefault();
        execute(evenement.submitter ?? formulaire.querySelector('button'), () => action(formulaire));
    });
}

// --- Licences ---------------------------------------------------------------------------------------------------

/** Fabrique un élément ; textContent n'interprète jamais le texte comme du HTML. */
function fabrique(nom, classe, texte = '') {
    const nouveau = document.createElement(nom);
    nouveau.className = classe;
    nouveau.textContent = texte;
    return nouveau;
}

function ligne(titre, detail, ...suite) {
    const qui = fabrique('div', 'qui');
    qui.append(fabrique('strong', '', titre), fabrique('span', '', detail));
    const li = document.createElement('li');
    li.append(qui, ...suite);
    return li;
}

function ligneLicence(licence) {
    const suite = [];
    if (licence.categorie) {
        suite.push(fabrique('span', 'etiquette', licence.categorie));
    }
    const retrait = fabrique('button', '', 'Retirer');
    retrait.type = 'button';
    retrait.setAttribute('aria-label', `Retirer la licence de ${licence.nom}`);
    retrait.addEventListener('click', () => {
        if (confirm(`Retirer la licence de ${licence.nom} ?`)) {
            execute(retrait, () => retire(licence));
        }
    });
    const detail = [licence.club, licence.numero && `n° ${licence.numero}`].filter(Boolean).join(' · ');
    return ligne(licence.nom, detail, ...suite, retrait);
}

async function montreLicences() {
    // Vide d'abord : si le site distant ne répond pas, rien d'ancien ne reste à l'écran.
    element('licences').replaceChildren();
    dit('nombre', '(chargement…)');
    element('aucune').hidden = true;
    let licences;
    try {
        licences = await demande('GET', `/api/licences?${new URLSearchParams({cherche: element('mot').value})}`);
    } finally {
        dit('nombre', '');
    }
    licences.sort((a, b) => String(a.nom).localeCompare(String(b.nom), 'fr'));
    element('licences').replaceChildren(...licences.map(ligneLicence));
    dit('nombre', `(${licences.length})`);
    element('aucune').hidden = licences.length > 0;
}

async function ajoute(formulaire) {
    const saisie = Object.fromEntries(new FormData(formulaire));
    const licence = await demande('POST', '/api/licences', JSON.stringify(saisie));
    formulaire.reset();
    element('mot').value = '';
    await montreLicences();
    dit('annonce', `La licence de ${licence.nom} est enregistrée.`);
    element('nom').focus();
}

async function retire(licence) {
    await demande('DELETE', `/api/licences/${encodeURIComponent(licence.id)}`);
    await montreLicences();
    dit('annonce', `La licence de ${licence.nom} est retirée.`);
    element('titre-licences').focus();
}

// --- Régates ----------------------------------------------------------------------------------------------------

function jourEnFrancais(jour) {
    const date = new Date(`${jour}T00:00:00Z`);
    return Number.isNaN(date.getTime())
        ? jour
        : new Intl.DateTimeFormat('fr-FR', {dateStyle: 'long', timeZone: 'UTC'}).format(date);
}

async function montreRegates(formulaire) {
    element('regates').replaceChildren();
    element('aucune-regate').hidden = true;
    const regates = await demande('GET', `/api/regates?${new URLSearchParams(new FormData(formulaire))}`);
    element('regates').replaceChildren(...regates.map((regate) => {
        const detail = [regate.lieu, regate.jour && jourEnFrancais(regate.jour)].filter(Boolean).join(' · ');
        return ligne(regate.nom, detail);
    }));
    element('aucune-regate').hidden = regates.length > 0;
}

// --- Journal ----------------------------------------------------------------------------------------------------

function ligneJournal({action, licence, compte, date, confirme}) {
    const titre = `${action === 'ajout' ? 'Ajout' : 'Retrait'} par ${compte}`;
    const detail = [date, licence && `licence ${licence}`, confirme ? '' : 'non confirmé'];
    return ligne(titre, detail.filter(Boolean).join(' · '));
}

async function montreJournal() {
    element('journal').replaceChildren();
    element('journal-vide').hidden = true;
    const lignes = await demande('GET', '/api/journal');
    element('journal').replaceChildren(...lignes.map(ligneJournal));
    element('journal-vide').hidden = lignes.length > 0;
}

// --- Connexion --------------------------------------------------------------------------------------------------

async function connecte(formulaire) {
    const champs = new FormData(formulaire);
    // Les espaces autour de l'identifiant sont des fautes de frappe.
    champs.set('identifiant', champs.get('identifiant').trim());
    ({jeton} = await demande('POST', '/api/connexion', new URLSearchParams(champs)));
    formulaire.reset();
    element('compte').textContent = champs.get('identifiant');
    element('session').hidden = false;
    element('entree').hidden = true;
    element('espace').hidden = false;
    element('titre-licences').focus();
    await montreLicences();
}

/** La session est finie : retour au formulaire de connexion. */
function deconnecte() {
    jeton = null;
    document.querySelectorAll('form').forEach((formulaire) => formulaire.reset());
    element('licences').replaceChildren();
    element('regates').replaceChildren();
    element('journal').replaceChildren();
    element('session').hidden = true;
    element('espace').hidden = true;
    element('entree').hidden = false;
    element('identifiant').focus();
}

// Rien ne survit au rechargement : ni jeton, ni données.
element('deconnexion').addEventListener('click', () => location.reload());
surEnvoi('connexion', connecte);
element('connexion').querySelector('button').disabled = false;
surEnvoi('recherche', montreLicences);
surEnvoi('ajout', ajoute);
surEnvoi('recherche-regates', montreRegates);
surEnvoi('lecture-journal', montreJournal);

// La version déployée ; si elle ne se lit pas, la page s'en passe.
demande('GET', '/version').then(({tag}) => {
    element('version').textContent = tag ? `Version ${tag}.` : '';
}, () => {});
