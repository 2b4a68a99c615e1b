import { t } from "#renderer/core/texts.ts";
import { Redirect, Route, Switch } from "wouter";
import { BuildPage } from "./views/builds/buildpage.tsx";
import { BuildsPage } from "./views/builds/buildspage.tsx";
import { ComposePage } from "./views/compose/composepage.tsx";
import { OpenedPage, ProjectPage } from "./views/compose/projectpage.tsx";
import { ContainerPage } from "./views/containers/containerpage.tsx";
import { ContainersPage } from "./views/containers/containerspage.tsx";
import { RunPage } from "./views/containers/runpage.tsx";
import { OwnPage } from "./views/engines/ownonly.tsx";
import { EnginePage } from "./views/engine/enginepage.tsx";
import { ImagePage } from "./views/images/imagepage.tsx";
import { ImagesPage } from "./views/images/imagespage.tsx";
import { LogsPage } from "./views/logs/logspage.tsx";
import { NetworkPage } from "./views/networks/networkpage.tsx";
import { NetworksPage } from "./views/networks/networkspage.tsx";
import { SettingsPage } from "./views/settings/settingspage.tsx";
import { TrashPage } from "./views/trash/trashpage.tsx";
import { VolumePage } from "./views/volumes/volumepage.tsx";
import { VolumesPage } from "./views/volumes/volumespage.tsx";

/** Addresses live in the fragment: the same page works over loopback and from the desktop app's files. */
export const Routes = () => (
  <Switch>
    <Route path="/containers" component={ContainersPage} />
    <Route path="/run/:image">{({ image }) => <RunPage key={image} image={decodeURIComponent(image)} />}</Route>
    <Route path="/containers/:id/:tab?">{({ id, tab }) => <ContainerPage key={id} id={decodeURIComponent(id)} tab={tab ?? "logs"} />}</Route>
    <Route path="/images" component={ImagesPage} />
    <Route path="/images/:name">{({ name }) => <ImagePage key={name} name={decodeURIComponent(name)} />}</Route>
    <Route path="/builds">
      <OwnPage name={t.nav.builds}>
        <BuildsPage />
      </OwnPage>
    </Route>
    <Route path="/builds/:ref">
      {({ ref }) => (
        <OwnPage name={t.nav.builds}>
          <BuildPage key={ref} build={decodeURIComponent(ref)} />
        </OwnPage>
      )}
    </Route>
    <Route path="/volumes" component={VolumesPage} />
    <Route path="/volumes/:name">{({ name }) => <VolumePage key={name} name={decodeURIComponent(name)} />}</Route>
    <Route path="/networks" component={NetworksPage} />
    <Route path="/networks/:id">{({ id }) => <NetworkPage key={id} id={decodeURIComponent(id)} />}</Route>
    <Route path="/engine" component={EnginePage} />
    <Route path="/compose" component={ComposePage} />
    <Route path="/compose/files/:files">
      {({ files }) => (
        <OwnPage name={t.nav.compose}>
          <OpenedPage key={files} files={decodeURIComponent(files).split("\n")} />
        </OwnPage>
      )}
    </Route>
    <Route path="/compose/:name">{({ name }) => <ProjectPage key={name} name={decodeURIComponent(name)} />}</Route>
    <Route path="/logs">
      <OwnPage name={t.nav.logs}>
        <LogsPage />
      </OwnPage>
    </Route>
    <Route path="/trash">
      <OwnPage name={t.trash.title}>
        <TrashPage />
      </OwnPage>
    </Route>
    <Route path="/settings" component={SettingsPage} />
    <Route>
      <Redirect to="/containers" replace />
    </Route>
  </Switch>
);
