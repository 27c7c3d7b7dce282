/** What the editor holds on the first visit. It needs nothing but a token. */
export const firstLook = `# Paste a token above, then press Ctrl-Enter.
# The book on the left describes the whole API.

query FirstLook {
  viewer {
    principal
    roles {
      role
      project { key }
    }
  }
  applications(first: 5) {
    totalCount
    edges {
      node {
        key
        name
        criticality
        owners { ref }
      }
    }
  }
}
`
