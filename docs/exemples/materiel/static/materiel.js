// Code de la page : il se connecte, interroge l'API et montre ce qu'elle répond.

let jeton = ''; // en mémoire seulement : fermer la page, c'est se déconnecter

const element = (id) => document.getElementById(id);

async function demander(methode, chemin, corps) {
  const entetes = {};
  if (jeton) entetes.Authorization = `Bearer ${jeton}`;
  if (typeof corps === 'string') entetes['Content-Type'] = 'application/json';
  let reponse;
  try {
    reponse = await fetch(chemin, { method: methode, headers: entetes, body: corps, cache: 'no-store' });
  } catch {
    throw new Error('Données indisponibles : l’application ne répond pas.');
  }
  if (reponse.status === 204) return null;
  const contenu = await reponse.json().catch(() => ({}));
  if (!reponse.ok) throw new Error(contenu.erreur || 'Données indisponibles.');
  return contenu;
}

// textContent : ce qui vient des données n'est jamais pris pour du HTML.
function ligne(entree) {
  const li = document.createElement('li');
  li.textContent = `${entree.nom} (${entree.lieu})`;
  return li;
}

async function montrerMateriels() {
  element('materiels').replaceChildren(); // si la suite échoue, rien d'ancien ne reste à l'écran
  const materiels = await demander('GET', '/api/materiels');
  element('materiels').replaceChildren(...materiels.map((materiel) => {
    const li = ligne(materiel);
    const bouton = document.createElement('button');
    bouton.textContent = 'Retirer';
    bouton.addEventListener('click', () => essayer(async () => {
      await demander('DELETE', `/api/materiels/${materiel.id}`);
      await montrerMateriels();
    }));
    li.append(' ', bouton);
    return li;
  }));
}

// Toute erreur se voit ; un message d'avant s'efface.
async function essayer(action) {
  element('message').textContent = '';
  try {
    await action();
  } catch (erreur) {
    element('message').textContent = erreur.message;
  }
}

function surEnvoi(id, action) {
  element(id).addEventListener('submit', (evenement) => {
    evenement.preventDefault();
    essayer(() => action(new FormData(evenement.target), evenement.target));
  });
}

surEnvoi('connexion', async (champs, formulaire) => {
  ({ jeton } = await demander('POST', '/api/connexion', new URLSearchParams(champs)));
  formulaire.reset();
  formulaire.hidden = true;
  element('espace').hidden = false;
  await montrerMateriels();
});

surEnvoi('ajout', async (champs, formulaire) => {
  await demander('POST', '/api/materiels', JSON.stringify(Object.fromEntries(champs)));
  formulaire.reset();
  await montrerMateriels();
});

surEnvoi('recherche', async (champs) => {
  element('regates').replaceChildren();
  const regates = await demander('GET', `/api/regates?${new URLSearchParams(champs)}`);
  element('regates').replaceChildren(...regates.map(ligne));
});
