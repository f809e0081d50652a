// The product's pages: sign up, sign in, the list of applications, the editor, the datasources and the
// viewer. Their telemetry is the script in index.html, and the `data-telemetry` attributes here.
const main = document.querySelector("main");

/** Calls the product's server. After a 401 outside `/user/`, opens the login page. Throws unless 2xx is answered. */
async function api(path, body) {
  const options = body && {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  };
  const response = await fetch(`/api/v1${path}`, options);
  if (response.status === 401 && !location.pathname.startsWith("/user/")) open("/user/login");
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

/** Creates an element. Strings become text, never HTML. */
function element(name, properties = {}, ...children) {
  const { dataset = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

/** Creates a form that passes its values to `submit`. */
function form(button, fields, submit) {
  const inputs = Object.entries(fields).map(([name, label]) =>
    element(
      "label",
      {},
      label,
      element("input", { name, required: true, type: name === "password" ? "password" : "text" }),
    ),
  );
  const said = element("output");
  return element(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        await submit(Object.fromEntries(new FormData(event.target))).catch(({ message }) => {
          said.textContent = `That did not work (${message}).`;
        });
      },
    },
    ...inputs,
    button,
    said,
  );
}

const link = (href, text, dataset) => element("a", { href, dataset }, text);

const PAGES = {
  "/user/signup": () => [
    element("h1", {}, "Sign up"),
    credentials("/users", "Sign up"),
    link("/user/login", "Sign in"),
  ],
  "/user/login": () => [
    element("h1", {}, "Sign in"),
    credentials("/login", "Sign in"),
    link("/user/signup", "Sign up"),
  ],
  "/applications": async () => {
    const apps = await api("/applications");
    const create = element(
      "button",
      { id: "create", dataset: { telemetry: "CREATE_APPLICATION_CLICK" } },
      "New application",
    );
    return [
      element("h1", {}, "Applications"),
      form(create, { name: "Name" }, async ({ name }) => {
        const { id, page } = await api("/applications", { name });
        open(`/app/${id}/${page}/edit`);
      }),
      element(
        "ul",
        {},
        ...apps.map(({ id, name, page }) =>
          element(
            "li",
            {},
            link(`/app/${id}/${page}`, name),
            link(`/app/${id}/${page}/edit`, "Edit", { telemetry: "EDIT_APPLICATION_CLICK" }),
          ),
        ),
      ),
    ];
  },
  "/app/:app/:page/edit": async ({ app, page }) => [
    element("h1", {}, "Editor"),
    await actionList(page, "edit"),
    link(`/app/${app}/${page}/edit/datasources`, "Datasources"),
    link(`/app/${app}/${page}`, "Deploy", { telemetry: "DEPLOY_CLICK" }),
  ],
  "/app/:app/:page": async ({ page }) => [element("h1", {}, "App"), await actionList(page, "view")],
  "/app/:app/:page/edit/datasources": ({ app, page }) => [
    element("h1", {}, "Datasources"),
    ...["postgres", "rest"].map((plugin) => {
      const dataset = {
        telemetry: "CREATE_DATASOURCE_CLICK",
        telemetryPluginType: plugin === "rest" ? "API" : "DB",
      };
      const button = element("button", { dataset }, plugin === "rest" ? "Add REST API" : "Add PostgreSQL");
      const fields = {
        name: "Name",
        url: "Address",
        action: "Name of the query",
        body: plugin === "rest" ? "Path" : "SQL",
      };
      return form(button, fields, async ({ name, url, action, body }) => {
        const { id } = await api("/datasources", { application: app, name, plugin, url });
        await api("/actions", { page, datasource: id, name: action, body });
        open(`/app/${app}/${page}/edit`);
      });
    }),
  ],
};

function credentials(path, text) {
  return form(element("button", {}, text), { email: "E-mail", password: "Password" }, async (body) => {
    await api(path, body);
    open("/applications");
  });
}

/** Creates the list of a page's actions, each with a button that runs it. */
async function actionList(page, mode) {
  const said = element("output");
  const run = async (id) => {
    const { body } = await api(`/actions/${id}/execute`, { mode, parameters: [] });
    said.textContent = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  };
  const dataset = mode === "edit" ? { telemetry: "RUN_QUERY_CLICK" } : {};
  const items = (await api(`/pages/${page}/actions`)).map(({ id, name }) =>
    element(
      "li",
      {},
      element("span", {}, name),
      element("button", { dataset, onclick: () => run(id) }, "Run"),
    ),
  );
  return element("section", {}, element("ul", {}, ...items), said);
}

function open(path) {
  history.pushState(null, "", path);
  void show();
}

async function show() {
  const at = location.pathname.split("/");
  for (const [route, page] of Object.entries(PAGES)) {
    const parts = route.split("/");
    if (
      parts.length !== at.length ||
      !parts.every((part, index) => part.startsWith(":") || part === at[index])
    )
      continue;
    const parameters = Object.fromEntries(
      parts.flatMap((part, index) => (part.startsWith(":") ? [[part.slice(1), at[index]]] : [])),
    );
    try {
      main.replaceChildren(...(await page(parameters)));
    } catch {
      // After a 401, `api` has opened the login page. After another error, the old page stays.
    }
    return;
  }
  open("/applications");
}

addEventListener("popstate", show);
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("a");
  if (!target || event.ctrlKey || event.metaKey || event.button !== 0) return;
  event.preventDefault();
  open(new URL(target.href).pathname);
});
void show();
