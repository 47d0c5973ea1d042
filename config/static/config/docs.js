// The reference's own part in Swagger UI: headings and landmarks that it lacks, and its dark mode by our theme.
"use strict";

const HeadroomPlugin = ({ React }) => ({
  wrapComponents: {
    InfoContainer: (Original) => (props) =>
      React.createElement("section", { "aria-label": "About the API" }, React.createElement(Original, props)),
    operations: (Original) => (props) =>
      React.createElement(
        React.Fragment,
        null,
        React.createElement("h2", { className: "part" }, "Operations"),
        React.createElement(Original, props),
      ),
  },
});

(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    const theme = document.documentElement.dataset.theme;
    const dark = theme === "dark" || (theme !== "light" && system.matches);
    document.documentElement.classList.toggle("dark-mode", dark);
  };
  follow();
  document.addEventListener("themechange", follow);
})();
