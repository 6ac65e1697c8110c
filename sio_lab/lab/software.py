"""What a lab of option SLAM claims to offer beyond section 1: Annexe II.E §3.

As in ``services``: a capability's name is also that of its role and of its check. Applications are declared apart,
by name, as contracts are.
"""

from typing import Annotated, Literal

from pydantic import Field

from sio_lab.lab.base import AccountName, MachineName, Service, Strict

EnvironmentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
ApplicationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,20}$")]


class DevelopmentEnvironment(Strict):
    """One language and its framework, as developers use them. Each {folder} is an empty or a project's folder."""

    language: str = Field(description="Language of the projects.", examples=["python"])
    framework: str = Field(description="Framework that they are made from.", examples=["Django"])
    create: str = Field(
        description="Command: make a project from the framework in {folder}, which exists and is empty.",
        examples=["sio-projet django {folder}"],
    )
    test: str = Field(
        description="Command: run the tests of the project in {folder}; exit status 0 where all pass.",
        examples=["cd {folder} && python3 -m pytest -q"],
    )
    wrong_test: str = Field(
        description="Command: add to the project in {folder} a test that cannot pass.",
        examples=["echo 'def test_faux(): assert 1 == 2' >{folder}/test_faux.py"],
    )
    failure: str = Field(
        description="What the test runner says of a test that fails (regular expression).",
        examples=["1 failed"],
    )
    debug: str = Field(
        default="",
        description="Command: run a program of {folder} under the debugger up to a breakpoint, and show the "
        "variable `temoin`, whose value is {value}.",
        examples=["sio-debogue python {folder} {value}"],
    )


class Development(Service):
    """3.1.a: development environments with a framework, test tools, two languages and an IDE."""

    user: str = Field(
        default="developpeur", description="Account that developers work under.", examples=["developpeur"]
    )
    environments: dict[EnvironmentName, DevelopmentEnvironment] = Field(
        min_length=1, description="Environments, by name; two languages at least are wanted."
    )
    ide: str = Field(
        description="Command that opens the IDE, or editor, on {file}, on the display that it is given.",
        examples=["geany --new-instance {file}"],
    )
    ide_window: str = Field(
        description="Title of its window once it has opened {file} (regular expression).",
        examples=["Geany"],
    )


class Components(Service):
    """3.1.b: a library of software components, and one of them that is installed at a locked version."""

    url: str = Field(
        description="The repository (https), as clients are configured with.",
        examples=["https://composants.capvoile.test/simple/"],
    )
    component: str = Field(description="A component that it holds.", examples=["capvoile-commun"])
    version: str = Field(description="Its locked version.", examples=["1.0.0"])
    lock: str = Field(
        description="File on the client that locks version and content (hash) of the component.",
        examples=["/srv/composants/requirements.lock"],
    )
    install: str = Field(
        description="Command on the client: install what {lock} locks below {folder}, from the repository alone.",
        examples=["pip install --require-hashes --index-url … --target {folder} -r {lock}"],
    )
    use: str = Field(
        description="Command on the client: use the component below {folder}, and print its version.",
        examples=["PYTHONPATH={folder} python3 -c 'import capvoile; print(capvoile.__version__)'"],
    )
    client: MachineName = Field(description="Machine that developers work on.", examples=["dev"])


class Forge(Service):
    """3.1.d: version control and issue tracking."""

    repository: str = Field(
        description="A repository for trials (https), where the members may push.",
        examples=["https://forge.capvoile.test/git/essai"],
    )
    tracker: Literal["trac", "redmine", "gitlab", "gitea"] = Field(
        description="What its issue tracker speaks.", examples=["trac"]
    )
    tracker_url: str = Field(
        description="Address of the issue tracker (https): of the project, where the forge has several.",
        examples=["https://forge.capvoile.test/suivi"],
    )
    reference: str = Field(
        default="refs #{issue}",
        description="Words of a commit's message that name an issue.",
        examples=["refs #{issue}"],
    )
    account: AccountName = Field(description="A member of the project.", examples=["chloe"])
    outsider: AccountName = Field(
        description="An account of the organisation that is no member.", examples=["alice"]
    )
    client: MachineName = Field(description="Machine that developers work on; it has git.", examples=["dev"])
    delay_seconds: int = Field(
        default=10, ge=1, le=120, description="Longest time until a commit is linked to its issue.", examples=[10]
    )


class Robustness(Service):
    """3.1.e: a tool that tests how an application behaves where it is used abnormally."""

    run: str = Field(
        description="Command on the (first) machine: test the application at {url}; a defect that it finds is "
        "told on standard output.",
        examples=["sio-robustesse {url}"],
    )
    defect: str = Field(description="What it says of a defect (regular expression).", examples=["^DEFAUT "])


class RemoteData(Service):
    """3.2: the site that hosts the data of the applications, away from the organisation's own."""

    url: str = Field(
        description="Its programming interface (https).", examples=["https://donnees.capvoile.test/api/"]
    )


class ApplicationApi(Strict):
    """How a program uses an application: JSON over HTTPS, with a token (RFC 6750) that a login gives."""

    login_url: str = Field(
        description="POST of a form with account and password: gives a token.",
        examples=["https://licences.capvoile.test/api/connexion"],
    )
    account_field: str = Field(default="identifiant", description="Field of the account.", examples=["login"])
    password_field: str = Field(
        default="mot_de_passe", description="Field of the password.", examples=["password"]
    )
    token_field: str = Field(default="jeton", description="Key of the token in the answer.", examples=["token"])
    data_url: str = Field(
        description="What the remote site hosts. GET: a list; POST (JSON) adds an entry and returns it with its "
        "`id`; DELETE of data_url/id removes it.",
        examples=["https://licences.capvoile.test/api/licences"],
    )
    entry: dict[str, str] = Field(
        min_length=1,
        description="An entry to add for a trial; {mark} is a word that nobody else uses.",
        examples=[{"nom": "{mark}", "club": "Morgat"}],
    )
    call_url: str = Field(
        description="GET: what the application learns from another one that it calls; {mark} is a word of an "
        "entry of that one.",
        examples=["https://licences.capvoile.test/api/regates?cherche={mark}"],
    )
    version_url: str = Field(
        description="GET: JSON with the `commit` that is deployed; needs no login.",
        examples=["https://licences.capvoile.test/version"],
    )


class HeavyClient(Strict):
    """3.2.a: a client program on a terminal."""

    machine: MachineName = Field(description="Terminal that it runs on.", examples=["poste"])
    command: str = Field(
        description="Command: log in as {account}, whose password comes on standard input, and show the data; it "
        "prints what its window shows, and ends.",
        examples=["licences-bureau --texte {account}"],
    )


class PageCode(Strict):
    """3.2.b, 3.2.c: code that runs in a page, on a machine with a browser."""

    machine: MachineName = Field(description="Machine of the browser.", examples=["poste"])
    url: str = Field(
        description="Page with a login form; once logged in it shows the data.",
        examples=["https://licences.capvoile.test/"],
    )
    account_input: str = Field(
        default="input[name=identifiant]",
        description="Field of the account (CSS selector).",
        examples=["#login"],
    )
    password_input: str = Field(
        default="input[type=password]",
        description="Field of the password (CSS selector).",
        examples=["#password"],
    )
    submit: str = Field(
        default="button[type=submit]", description="What sends the form (CSS selector).", examples=["#connexion"]
    )
    shows: str = Field(
        description="Element that the page's own code fills with the data (CSS selector).",
        examples=["#licences li"],
    )


class Application(Strict):
    """3.2 to 3.4: an application of the organisation, whose data a remote site hosts."""

    title: str = Field(description="What it is for, in a few words.", examples=["Licences des pratiquants"])
    language: str = Field(description="Language of its server code.", examples=["php"])
    framework: str = Field(description="Framework that it is made with.", examples=["Symfony"])
    origin: Literal["specific", "adapted"] = Field(
        description="Specific development, or adapted open source software.", examples=["specific"]
    )
    licence: str = Field(description="Its licence (SPDX).", examples=["GPL-3.0-or-later"])
    machines: list[MachineName] = Field(
        min_length=1,
        description="Machines that serve it; one machine serves one application.",
        examples=[["licences"]],
    )
    packages: list[str] = Field(
        default=[],
        description="Debian packages that it needs there, and where its clones are built.",
        examples=[["php-symfony"]],
    )
    source: str = Field(
        default="",
        description="Folder of its source, from that of the lab file; it is pushed to the repository when the lab "
        "comes up. Empty: the repository has it already.",
        examples=["applications/licences"],
    )
    repository: str = Field(
        description="Its repository on the forge (https).", examples=["https://forge.capvoile.test/git/licences"]
    )
    tag: str = Field(description="Tag of the version that is deployed.", examples=["v1.0.0"])
    deployed: str = Field(
        default="/srv/application",
        description="Folder of its files where it is served: 3.4 compares them with the repository's. Empty where "
        "they are compiled, and cannot be compared.",
        examples=["/var/www/licences"],
    )
    install: str = Field(
        default="true",
        description="Command, in the folder of the version that is deployed, as the application's account: "
        "migrations and the like.",
        examples=["python3 manage.py migrate"],
    )
    serve: str = Field(
        default="",
        description="Command that serves it on {port} of 127.0.0.1; TLS is put before it.",
        examples=["gunicorn --bind 127.0.0.1:{port} projet.wsgi"],
    )
    public: str = Field(
        default="",
        description="For PHP, instead of serve: folder of the front controller index.php.",
        examples=["public"],
    )
    process: str = Field(
        description="How its process is told on the machine (regular expression on the command line).",
        examples=["gunicorn"],
    )
    test: str = Field(
        description="Command, in a fresh clone: build it and run its tests; exit status 0 where all pass.",
        examples=["python3 -m pytest -q"],
    )
    development: MachineName = Field(
        description="Machine of the development environment, where clones are built and tested.", examples=["dev"]
    )
    account: AccountName = Field(description="An account that may use it.", examples=["chloe"])
    client: MachineName = Field(description="A user's machine.", examples=["poste"])
    remote: MachineName = Field(
        description="Machine of the remote site that hosts its data.", examples=["donnees"]
    )
    calls: ApplicationName = Field(description="Application that it calls.", examples=["regates"])
    api: ApplicationApi = Field(description="How a program uses it.")
    heavy_client: HeavyClient | None = Field(default=None, description="Its client program, if it has one.")
    browser: PageCode | None = Field(default=None, description="Its code in the browser, if it has some.")
    mobile: PageCode | None = Field(default=None, description="Its code on a mobile terminal, if it has some.")
