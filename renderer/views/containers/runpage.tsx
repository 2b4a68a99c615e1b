import { useLocation } from "wouter";
import { ContainersPage } from "./containerspage.tsx";
import { RunDialog } from "./rundialog.tsx";

/** The form to run an image above the list, as a link opens it. */
export function RunPage({ image }: { readonly image: string }) {
  const [, go] = useLocation();
  return (
    <>
      <ContainersPage />
      <RunDialog image={image} onClose={() => go("/containers", { replace: true })} />
    </>
  );
}
