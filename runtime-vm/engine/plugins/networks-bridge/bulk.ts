/**
 * A short way for what containers send much of to clients of published ports: the kernel's flow table, which leads packets from one
 * interface to the other without asking rules (linux/Documentation/networking/nf_flowtable.rst). Each acknowledgement that
 * comes back goes by it, too, which is most of what a download costs an emulated processor.
 */

/** `bridges`: as an nft set's elements. */
export const bulkTable = (router: string, bridges: string): string => `  flowtable bulk {
    hook ingress priority filter; devices = { "${router}", ${bridges} };
  }
`;

/**
 * For packets out of a bridge. Many at once in one piece are what only a connection has that both ends have accepted, so that nothing of
 * its beginning comes again; short ones are not worth an entry, and strays have their own routes.
 */
export const bulkRule = (out: string): string => `${out} ct direction reply ct status dnat ct mark 0 meta l4proto tcp meta length > 9000 flow add @bulk`;
