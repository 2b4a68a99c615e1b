/** Carries whole frames in order between the window and the host core. Listeners are set once, before the first frame. */
export interface Transport {
  send(frame: Uint8Array<ArrayBuffer>): void;
  onFrame(listener: (frame: Uint8Array) => void): void;
  /** Called once, also after `close`; `reason` is a sentence part when one is known. */
  onClose(listener: (reason?: string) => void): void;
  close(reason?: string): void;
}

/** Opens a transport that is ready for frames: whatever proves the caller's right has been done. */
export type Connect = (signal: AbortSignal) => Promise<Transport>;
