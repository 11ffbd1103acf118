import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./tokens.css";
import "./base.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { openBackend } from "./backend";
import Elsewhere from "./parts/Elsewhere.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
const backend = await openBackend();
if (backend) mount(App, { target, props: { backend } });
else mount(Elsewhere, { target });
