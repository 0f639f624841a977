import "./style.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";
import { begun } from "./i18n";
import { giveNonceToStyles } from "./nonce";

giveNonceToStyles();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
void begun.then(() =>
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  ),
);
